//! Signer and mirror state: what was last signed for a log, in two slots that are written in turn.
//!
//! A slot is one sector of 512 bytes at the start of a 4,096-byte block of its own: it is written
//! whole or not at all, and no other slot is touched with it (FORMATS.md 5). The file names itself
//! by device, inode and machine, so that a copy of it is known for one and never signs.

use std::path::Path;
use std::sync::Arc;

use crc32c::crc32c;
use tocsin_log::hash::{EMPTY_ROOT, Hash};

use crate::disk::{
    Disk, DiskError, DiskFile, FileIdentity, Open, SECTOR_BYTES as SECTOR, read_up_to,
};

/// Bytes from one slot to the next.
pub const SLOT_BLOCK_BYTES: u64 = 4096;
/// The most logs a mirror state has slots for: roster members over all generations.
pub const MAX_MIRRORED_LOGS: u64 = 4096;

const SUMMED: usize = 128;
const SIGNER_MAGIC: [u8; 8] = *b"TOCSINs1";
const MIRROR_MAGIC: [u8; 8] = *b"TOCSINm1";

/// Which state a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateKind {
    /// Of our own log.
    Signer,
    /// Of the logs we mirror.
    Mirror,
}

/// What was last signed for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Entries under the signature; 0 when nothing was signed yet.
    pub size: u64,
    /// Their root.
    pub root: Hash,
    /// The time of the cosignature in seconds since 1970; 0 in signer state, whose notes have no
    /// time.
    pub time: u64,
}

/// The file and machine that a slot was written on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The state file.
    pub file: FileIdentity,
    /// [`Disk::machine_id`].
    pub machine: [u8; 16],
}

/// One slot's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Counts the writes for this log from 1; the higher of two slots is the newer.
    pub sequence: u64,
    /// The hash of the log's origin.
    pub origin: Hash,
    /// What was signed.
    pub signed: Signed,
    /// Where.
    pub home: Home,
}

/// A slot as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundSlot {
    /// Never written.
    Blank,
    /// Sound.
    Written(Slot),
    /// Neither: damage.
    Damaged,
}

impl Signed {
    /// Nothing signed yet.
    pub const NOTHING: Self = Self {
        size: 0,
        root: EMPTY_ROOT,
        time: 0,
    };
}

impl Slot {
    /// The sector's bytes.
    #[must_use]
    pub fn encode(&self, kind: StateKind) -> [u8; SECTOR] {
        let mut bytes = Vec::with_capacity(SECTOR);
        bytes.extend(kind.magic());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(self.origin.as_bytes());
        bytes.extend(self.signed.size.to_be_bytes());
        bytes.extend(self.signed.root.as_bytes());
        bytes.extend(self.signed.time.to_be_bytes());
        bytes.extend(self.home.file.device.to_be_bytes());
        bytes.extend(self.home.file.inode.to_be_bytes());
        bytes.extend(self.home.machine);
        debug_assert_eq!(bytes.len(), SUMMED);
        bytes.extend(crc32c(&bytes).to_be_bytes());
        let mut sector = [0; SECTOR];
        for (to, from) in sector.iter_mut().zip(bytes) {
            *to = from;
        }
        sector
    }

    /// Reads a sector. The bytes behind the checksum must be zero, so that every bit of it is
    /// checked.
    #[must_use]
    pub fn decode(sector: &[u8], kind: StateKind) -> FoundSlot {
        if sector.iter().all(|byte| *byte == 0) {
            return FoundSlot::Blank;
        }
        Self::decode_written(sector, kind).map_or(FoundSlot::Damaged, FoundSlot::Written)
    }

    fn decode_written(sector: &[u8], kind: StateKind) -> Option<Self> {
        let summed = sector.get(..SUMMED)?;
        let (magic, rest) = sector.split_first_chunk::<8>()?;
        let (sequence, rest) = take_u64(rest)?;
        let (origin, rest) = rest.split_first_chunk::<32>()?;
        let (size, rest) = take_u64(rest)?;
        let (root, rest) = rest.split_first_chunk::<32>()?;
        let (time, rest) = take_u64(rest)?;
        let (device, rest) = take_u64(rest)?;
        let (inode, rest) = take_u64(rest)?;
        let (machine, rest) = rest.split_first_chunk::<16>()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let sound = *magic == kind.magic()
            && sector.len() == SECTOR
            && crc32c(summed) == u32::from_be_bytes(*sum)
            && rest.iter().all(|byte| *byte == 0);
        sound.then_some(Self {
            sequence,
            origin: Hash(*origin),
            signed: Signed {
                size,
                root: Hash(*root),
                time,
            },
            home: Home {
                file: FileIdentity { device, inode },
                machine: *machine,
            },
        })
    }
}

impl StateKind {
    const fn magic(self) -> [u8; 8] {
        match self {
            Self::Signer => SIGNER_MAGIC,
            Self::Mirror => MIRROR_MAGIC,
        }
    }
}

/// Two slots of one log, in a state file.
#[derive(Debug)]
pub(crate) struct SlotPair {
    file: Arc<dyn DiskFile>,
    kind: StateKind,
    /// The first block of the two.
    block: u64,
    origin: Hash,
    home: Home,
    /// What stands in the two places, as far as it is known to be sound.
    slots: [Option<Slot>; 2],
}

/// Why a pair of slots says nothing that can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotFault {
    /// A slot does not verify, or the two do not fit together.
    #[error("a slot at byte {offset} does not verify")]
    Damaged {
        /// Its place in the file.
        offset: u64,
    },
    /// The file lies on another machine or place than it was written on: it is a copy.
    #[error("the state file is a copy, or was moved to another machine or file system")]
    Copied,
    /// The state of another log.
    #[error("the state file is that of another log")]
    OtherLog,
}

impl SlotPair {
    /// Takes up the pair at `block`, or says what is wrong with it. The pair can be written either
    /// way.
    pub(crate) fn open(
        file: Arc<dyn DiskFile>,
        kind: StateKind,
        block: u64,
        origin: Hash,
        home: Home,
    ) -> Result<(Self, Option<SlotFault>), DiskError> {
        let found = [
            read_slot(&*file, kind, block)?,
            read_slot(&*file, kind, block + 1)?,
        ];
        let fault = judge(&found, block, &origin, &home);
        let slots = found.map(|slot| match slot {
            FoundSlot::Written(slot) => Some(slot),
            FoundSlot::Blank | FoundSlot::Damaged => None,
        });
        Ok((
            Self {
                file,
                kind,
                block,
                origin,
                home,
                slots,
            },
            fault,
        ))
    }

    /// Writes both slots, so that from now on a blank one is damage. Each is flushed before the
    /// next is written: then a blank first slot beside a written second one is never the trace of
    /// an interrupted creation.
    pub(crate) fn create(&mut self, signed: Signed) -> Result<(), DiskError> {
        self.write(signed)?;
        self.flush()?;
        self.write(signed)?;
        self.flush()
    }

    /// Whether neither slot was ever written.
    pub(crate) fn is_blank(&self) -> Result<bool, DiskError> {
        let found = [self.block, self.block + 1].map(|at| read_slot(&*self.file, self.kind, at));
        let [even, odd] = found;
        Ok(even? == FoundSlot::Blank && odd? == FoundSlot::Blank)
    }

    /// The newest sound slot's word.
    pub(crate) fn newest(&self) -> Option<Signed> {
        self.newest_slot().map(|slot| slot.signed)
    }

    /// The other one's.
    pub(crate) fn older(&self) -> Option<Signed> {
        let newest = self.newest_slot()?.sequence;
        let older = self
            .slots
            .iter()
            .flatten()
            .find(|slot| slot.sequence != newest);
        older.map(|slot| slot.signed)
    }

    /// The word that the next write replaces.
    pub(crate) fn replaced_next(&self) -> Option<Signed> {
        let [even, odd] = &self.slots;
        let next = self.next_sequence();
        (if next.is_multiple_of(2) { even } else { odd }).map(|slot| slot.signed)
    }

    /// Writes the older of the two slots; [`SlotPair::flush`] makes it last.
    pub(crate) fn write(&mut self, signed: Signed) -> Result<(), DiskError> {
        let (sequence, origin, home) = (self.next_sequence(), self.origin, self.home);
        let slot = Slot {
            sequence,
            origin,
            signed,
            home,
        };
        let place = sequence % 2;
        let offset = (self.block + place) * SLOT_BLOCK_BYTES;
        self.file.write_at(offset, &slot.encode(self.kind))?;
        let [even, odd] = &mut self.slots;
        *(if place == 0 { even } else { odd }) = Some(slot);
        Ok(())
    }

    pub(crate) fn flush(&self) -> Result<(), DiskError> {
        self.file.fdatasync()
    }

    fn newest_slot(&self) -> Option<&Slot> {
        self.slots.iter().flatten().max_by_key(|slot| slot.sequence)
    }

    fn next_sequence(&self) -> u64 {
        self.newest_slot().map_or(0, |slot| slot.sequence) + 1
    }
}

/// What is wrong with a pair: sequence 1 stands in the second place, 2 in the first, and so on in
/// turn.
fn judge(found: &[FoundSlot; 2], block: u64, origin: &Hash, home: &Home) -> Option<SlotFault> {
    let [even, odd] = found;
    let mut places = [(even, block), (odd, block + 1)];
    if let (FoundSlot::Written(first), FoundSlot::Written(second)) = (even, odd) {
        let in_turn =
            first.sequence.is_multiple_of(2) && first.sequence.abs_diff(second.sequence) == 1;
        let offset = block * SLOT_BLOCK_BYTES;
        if !in_turn {
            return Some(SlotFault::Damaged { offset });
        }
    }
    // A first write that was cut off leaves only sequence 1, of size 0: there was nothing to lose.
    if let (FoundSlot::Blank, FoundSlot::Written(slot)) = (even, odd)
        && slot.sequence == 1
    {
        places = [(odd, block + 1); 2];
    }
    for (slot, block) in places {
        match slot {
            FoundSlot::Blank | FoundSlot::Damaged => {
                return Some(SlotFault::Damaged {
                    offset: block * SLOT_BLOCK_BYTES,
                });
            }
            FoundSlot::Written(slot) if slot.origin != *origin => {
                return Some(SlotFault::OtherLog);
            }
            FoundSlot::Written(slot) if slot.home != *home => return Some(SlotFault::Copied),
            FoundSlot::Written(_) => {}
        }
    }
    None
}

fn read_slot(file: &dyn DiskFile, kind: StateKind, block: u64) -> Result<FoundSlot, DiskError> {
    let sector = read_up_to(file, block * SLOT_BLOCK_BYTES, SECTOR)?;
    Ok(Slot::decode(&sector, kind))
}

/// The hash of the origin a pair of slots belongs to, from whichever of them is sound.
pub(crate) fn origin_at(
    file: &dyn DiskFile,
    kind: StateKind,
    block: u64,
) -> Result<Option<Hash>, DiskError> {
    for block in [block, block + 1] {
        if let FoundSlot::Written(slot) = read_slot(file, kind, block)? {
            return Ok(Some(slot.origin));
        }
    }
    Ok(None)
}

/// Opens a state file and says where it lies.
pub(crate) fn open_state(
    disk: &dyn Disk,
    path: &Path,
    how: Open,
) -> Result<(Arc<dyn DiskFile>, Home), DiskError> {
    let file = disk.open(path, how)?;
    let home = Home {
        file: file.identity()?,
        machine: disk.machine_id(),
    };
    Ok((file, home))
}

fn take_u64(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Broken, FaultyDisk};

    fn slot(sequence: u64) -> Slot {
        let home = Home {
            file: FileIdentity {
                device: 3,
                inode: 4,
            },
            machine: [5; 16],
        };
        let signed = Signed {
            size: 6,
            root: Hash([7; 32]),
            time: 8,
        };
        Slot {
            sequence,
            origin: Hash([9; 32]),
            signed,
            home,
        }
    }

    #[test]
    fn every_bit_of_a_slot_is_checked() {
        for kind in [StateKind::Signer, StateKind::Mirror] {
            let sector = slot(2).encode(kind);
            assert_eq!(Slot::decode(&sector, kind), FoundSlot::Written(slot(2)));
            for bit in 0..SECTOR * 8 {
                let mut flipped = sector;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(
                    Slot::decode(&flipped, kind),
                    FoundSlot::Damaged,
                    "bit {bit}"
                );
            }
        }
        let signer = slot(2).encode(StateKind::Signer);
        assert_eq!(Slot::decode(&signer, StateKind::Mirror), FoundSlot::Damaged);
        assert_eq!(
            Slot::decode(&[0; SECTOR], StateKind::Signer),
            FoundSlot::Blank
        );
        assert_eq!(
            Slot::decode(&signer[..100], StateKind::Signer),
            FoundSlot::Damaged
        );
    }

    #[test]
    fn slots_alternate_and_a_damaged_one_is_never_passed_over() {
        let disk = FaultyDisk::new(Broken::default());
        let path = Path::new("/signer.state");
        let (file, home) = open_state(&disk, path, Open::Create).unwrap();
        let origin = Hash([1; 32]);
        let open =
            || SlotPair::open(Arc::clone(&file), StateKind::Signer, 0, origin, home).unwrap();
        let (mut pair, _) = open();
        pair.create(Signed::NOTHING).unwrap();
        for size in 1..10 {
            let signed = Signed {
                size,
                root: Hash([2; 32]),
                time: 0,
            };
            assert_eq!(pair.replaced_next(), pair.older());
            pair.write(signed).unwrap();
            let (again, fault) = open();
            assert_eq!(fault, None);
            assert_eq!(again.newest(), Some(signed));
            assert_eq!(again.older().map(|older| older.size), Some(size - 1));
        }
        for offset in [0, SLOT_BLOCK_BYTES] {
            let flip = || disk.flip_bit(path, offset * 8 + 77);
            flip();
            assert_eq!(open().1, Some(SlotFault::Damaged { offset }));
            flip();
            assert_eq!(open().1, None);
        }
        let (_, fault) =
            SlotPair::open(Arc::clone(&file), StateKind::Signer, 0, Hash([8; 32]), home).unwrap();
        assert_eq!(fault, Some(SlotFault::OtherLog));
        let elsewhere = Home {
            machine: [8; 16],
            ..home
        };
        let (_, fault) = SlotPair::open(file, StateKind::Signer, 0, origin, elsewhere).unwrap();
        assert_eq!(fault, Some(SlotFault::Copied));
    }
}
