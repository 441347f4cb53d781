//! What can be asked of a volume with keys, before anything of it is read.

use super::Volumes;
use super::directory::{self, VALUE_BLOCKS};
use super::error::VolumeError;
use super::objects::{Key, ObjectAct};
use super::pointer::BLOCK_BYTES;
use super::request::VolumeId;
use super::row::Kind;
use crate::base::buffer::Buffer;

impl Volumes {
    pub(super) fn check_object(
        &self,
        volume: VolumeId,
        key: &Key,
        act: &ObjectAct,
        data: Option<&Buffer>,
    ) -> Result<(), VolumeError> {
        let live = self.live_of(volume).ok_or(VolumeError::NoVolume)?;
        // A directory that was read before would be written over the one that comes.
        if self.is_restore_waiting(&live.name) {
            return Err(VolumeError::Busy);
        }
        if !live.kind.has_keys() {
            return Err(VolumeError::NotOfKind {
                name: live.name.clone(),
                kind: Kind::Object.name(),
            });
        }
        if *act != ObjectAct::List && !directory::is_key(key) {
            return Err(VolumeError::BadKey);
        }
        let room = data.map_or(0, Buffer::capacity);
        let most = VALUE_BLOCKS * BLOCK_BYTES as u64;
        let (is_good, end) = match act {
            ObjectAct::Put { offset, bytes, .. } => {
                let is_whole = offset % BLOCK_BYTES as u64 == 0;
                let fits = bytes.next_multiple_of(BLOCK_BYTES) <= room;
                (is_whole && fits, offset.saturating_add(*bytes as u64))
            }
            ObjectAct::Get { offset } => {
                (offset % BLOCK_BYTES as u64 == 0 && room >= BLOCK_BYTES, 0)
            }
            ObjectAct::List | ObjectAct::Remove => (true, 0),
        };
        match is_good && end <= most {
            true => Ok(()),
            false => Err(VolumeError::BadRequest),
        }
    }
}
