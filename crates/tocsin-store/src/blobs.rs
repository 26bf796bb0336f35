//! Bodies that came later than their entries, each in a file under its digest.

use std::path::PathBuf;

use tocsin_log::hash::Hash;

use crate::data_dir::DataDir;
use crate::disk::{Open, read_up_to};
use crate::error::{Refusal, StoreError};
use crate::failpoint::Failpoints;
use crate::frame::MAX_BODY_BYTES;

/// The late bodies of a node. What [`Blobs::put`] returned for lasts.
#[derive(Clone, Debug)]
pub struct Blobs {
    data: DataDir,
    failpoints: Failpoints,
}

impl Blobs {
    /// Opens the directory and clears away what was never finished.
    ///
    /// # Errors
    /// A fault.
    pub fn open(data: &DataDir, failpoints: Failpoints) -> Result<Self, StoreError> {
        let directory = data.path("blobs");
        for name in data.disk().list(&directory)? {
            if name.ends_with(".tmp") {
                data.disk().remove(&directory.join(name))?;
            }
        }
        data.disk().fsync_dir(&directory)?;
        Ok(Self {
            data: data.clone(),
            failpoints,
        })
    }

    /// Stores a body under its digest.
    ///
    /// # Errors
    /// [`Refusal::TooLong`], [`Refusal::WrongDigest`], [`Refusal::DiskFull`]; or a fault.
    pub fn put(&self, digest: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        if bytes.len() > MAX_BODY_BYTES {
            return Err(Refusal::TooLong {
                bytes: bytes.len(),
                limit: MAX_BODY_BYTES,
            }
            .into());
        }
        if Hash::of(bytes) != *digest {
            return Err(Refusal::WrongDigest { digest: *digest }.into());
        }
        if self.get(digest)?.is_some() {
            return Ok(());
        }
        let (disk, path) = (self.data.disk(), self.path(digest));
        let draft = path.with_extension("tmp");
        let written = disk.open(&draft, Open::Create).and_then(|file| {
            file.truncate(0)?;
            file.write_at(0, bytes)?;
            Ok(file)
        });
        let file = match written {
            Err(error) if error.is_full() => {
                disk.remove(&draft)?;
                return Err(Refusal::DiskFull.into());
            }
            written => written?,
        };
        file.fdatasync()?;
        self.failpoints.hit("blob.written");
        disk.rename(&draft, &path)?;
        disk.fsync_dir(&self.data.path("blobs"))?;
        self.failpoints.hit("blob.renamed");
        Ok(())
    }

    /// A body, if it is here and still what its digest says; one that is not is as good as missing,
    /// and is stored again when it comes.
    ///
    /// # Errors
    /// A fault.
    pub fn get(&self, digest: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match self.data.disk().open(&self.path(digest), Open::Read) {
            Err(error) if error.is_not_found() => return Ok(None),
            opened => opened?,
        };
        let bytes = read_up_to(&*file, 0, MAX_BODY_BYTES + 1)?;
        Ok((Hash::of(&bytes) == *digest).then_some(bytes))
    }

    /// Zeroes a body and takes its name away. Its erasure is on record in the local log already.
    ///
    /// # Errors
    /// A fault.
    pub fn erase(&self, digest: &Hash) -> Result<(), StoreError> {
        let path = self.path(digest);
        let file = match self.data.disk().open(&path, Open::Write) {
            Err(error) if error.is_not_found() => return Ok(()),
            opened => opened?,
        };
        crate::files::zero(&*file, 0, file.len()?)?;
        file.fdatasync()?;
        self.failpoints.hit("body.zeroed");
        self.data.disk().remove(&path)?;
        self.data.disk().fsync_dir(&self.data.path("blobs"))?;
        Ok(())
    }

    fn path(&self, digest: &Hash) -> PathBuf {
        self.data.path("blobs").join(digest.to_string())
    }
}
