//! The data directory: one process at a time works in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile, Open};
use crate::error::{Refusal, StoreError};

/// A data directory under an exclusive lock, held until the last clone is gone.
#[derive(Clone, Debug)]
pub struct DataDir {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    _lock: Arc<dyn DiskFile>,
}

impl DataDir {
    /// Locks the directory, making it and what belongs in it if need be.
    ///
    /// # Errors
    /// [`Refusal::Locked`] when another process has it, or a fault.
    pub fn open(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, StoreError> {
        disk.create_dir(root)?;
        let lock = disk.open(&root.join("lock"), Open::Create)?;
        if !lock.try_lock()? {
            return Err(Refusal::Locked.into());
        }
        let data = Self {
            disk,
            root: root.to_owned(),
            _lock: lock,
        };
        for name in ["log", "blobs", "local"] {
            data.disk.create_dir(&root.join(name))?;
        }
        data.disk.fsync_dir(root)?;
        if let Some(parent) = root
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            data.disk.fsync_dir(parent)?;
        }
        Ok(data)
    }

    /// The disk it lies on.
    #[must_use]
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file or directory in it is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}
