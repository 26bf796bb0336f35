#!/bin/sh
# Founds an alliance of members that all live under one directory, for trying things out. In earnest each member makes its own
# keys on its own machine, and only public files travel (README.md beside this file).
#   found.sh DIRECTORY ALLIANCE MEMBER:JURISDICTION:HOST[:PORT[:ADMIN_PORT]]..
set -eu
directory=$1 alliance=$2
shift 2
if [ -e "$directory/alliance.tsa" ]; then
    echo "$directory/alliance.tsa stands already"
    exit 0
fi
mkdir -p "$directory"
files='' keys=''
for one; do
    # Split at the colons.
    IFS=: read -r member jurisdiction host port admin_port <<EOF
$one
EOF
    home=$directory/$member
    tocsin init --dir "$home" --alliance "$alliance" --member "$member" --jurisdiction "$jurisdiction" \
        --name "Authority of $jurisdiction" --host "$host" --port "${port:-7337}" --admin-port "${admin_port:-7339}" \
        --officer "$member-officer-1" --officer "$member-officer-2" --investigator "$member-investigator-1"
    tocsin client new --dir "$home" --id desk-1 --role agency --role officer --role investigator --role operator
    files="$files $home/member.json" keys="$keys --key $home/keys/gov.key"
done
# The names above hold no blanks, so the lists may be split here.
# shellcheck disable=SC2086
tocsin alliance new $files -o "$directory/roster.json"
# shellcheck disable=SC2086
tocsin alliance sign "$directory/roster.json" $keys
# shellcheck disable=SC2086
tocsin alliance assemble $files --roster "$directory/roster.json" -o "$directory/alliance.tsa"
for one; do
    cp "$directory/alliance.tsa" "$directory/${one%%:*}/alliance.tsa"
done
tocsin alliance show "$directory/alliance.tsa"
