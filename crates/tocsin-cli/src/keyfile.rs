//! Key files: one private key each (`tocsin_log::keyfile`), readable by its owner alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::{KeyText, MAX_KEY_TEXT_BYTES, Purpose};
use zeroize::Zeroizing;

use crate::failure::{Exit, Failure};
use crate::files::{Mode, read_bounded, write_new};

/// Draws a new key from the system's randomness. `person` is the pseudonym behind a record key.
///
/// # Errors
/// When the system gives none.
pub fn generate(purpose: Purpose, person: Option<&str>) -> Result<KeyText, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    fill_random(seed.as_mut_slice())?;
    let key = SigningKey::from_seed(*seed);
    Ok(KeyText {
        purpose,
        person: person.map(str::to_owned),
        key,
    })
}

/// Reads a key file.
///
/// # Errors
/// When it cannot be read, others than its owner can read or write it, or it is no key file.
pub fn read(path: &Path) -> Result<KeyText, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("{} is not a key file: {why}", path.display()))
            .code("KEY_FILE_INVALID")
    };
    refuse_if_shared(path)?;
    let limit = u64::try_from(MAX_KEY_TEXT_BYTES).unwrap_or(u64::MAX);
    let bytes = Zeroizing::new(read_bounded(path, limit)?);
    let text = str::from_utf8(&bytes).map_err(|_| wrong("it is not text".to_owned()))?;
    KeyText::parse(text).map_err(|error| wrong(error.to_string()))
}

/// Reads a key file that must be for `purpose`.
///
/// # Errors
/// As [`read`], or when its purpose is another.
pub fn read_for(path: &Path, purpose: Purpose) -> Result<KeyText, Failure> {
    let key = read(path)?;
    if key.purpose != purpose {
        let (is, wants) = (key.purpose.word(), purpose.word());
        let text = format!(
            "{} is a {is} key, and a {wants} key is needed",
            path.display()
        );
        return Err(Failure::usage(text).code("KEY_PURPOSE"));
    }
    Ok(key)
}

/// Writes a new file that only its owner can read.
///
/// # Errors
/// When a file is there already, or it cannot be written.
pub fn write(key: &KeyText, path: &Path) -> Result<(), Failure> {
    write_new(path, key.to_text().as_bytes(), Mode::Secret)
}

/// Fills `bytes` with randomness of the system.
///
/// # Errors
/// When the system gives none.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes)
        .map_err(|e| Failure::new(Exit::Failed, format!("the system gives no randomness: {e}")))
}

/// Refuses a secret that others could have read or changed.
///
/// # Errors
/// When group or world have any right to the file, or it cannot be looked at.
pub fn refuse_if_shared(path: &Path) -> Result<(), Failure> {
    let meta = fs::metadata(path).map_err(|e| Failure::file(path, "read", &e))?;
    if meta.permissions().mode() & 0o077 != 0 {
        let text = format!("others on this machine can read {}", path.display());
        let advice = format!(
            "chmod 600 {}; replace the key if others may have it",
            path.display()
        );
        return Err(Failure::new(Exit::NotPermitted, text)
            .code("KEY_FILE_SHARED")
            .advice(advice));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_reads_back_and_belongs_to_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("officer.key");
        let made = generate(Purpose::Record, Some("p-1")).unwrap();
        write(&made, &path).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let back = read_for(&path, Purpose::Record).ok().unwrap();
        assert_eq!(back.person.as_deref(), Some("p-1"));
        assert_eq!(back.key.public(), made.key.public());
        assert_eq!(
            read_for(&path, Purpose::Gov).err().unwrap().exit,
            Exit::Usage
        );
        assert_eq!(write(&made, &path).unwrap_err().exit, Exit::Conflict);
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gov.key");
        write(&generate(Purpose::Gov, None).ok().unwrap(), &path).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let failure = read(&path).err().unwrap();
            assert_eq!(failure.code.as_deref(), Some("KEY_FILE_SHARED"), "{mode:o}");
        }
    }

    #[test]
    fn what_is_not_a_key_file_is_refused_without_repeating_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.key");
        for (bytes, mode) in [
            (&b"tocsin-key-v1 record SECRET"[..], 0o600),
            (&[0xff, 0xfe], 0o600),
        ] {
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let failure = read(&path).err().unwrap();
            assert_eq!(failure.code.as_deref(), Some("KEY_FILE_INVALID"));
            assert!(!failure.message.contains("SECRET"));
        }
        assert_eq!(
            read(&dir.path().join("none")).err().unwrap().exit,
            Exit::NotFound
        );
    }
}
