//! A simulated TPM's NV memory.

use super::{Body, sized, written};
use rayos_kernel::drivers::tpm::codec::nv::{NvPublic, NvRead, NvWrite, attribute};
use rayos_kernel::drivers::tpm::codec::response_code::ResponseCode;
use std::collections::BTreeMap;

/// Indices that fit.
const INDICES_MAX: usize = 8;
const BYTES_MAX: u16 = 2048;

#[derive(Default)]
pub struct Memory(BTreeMap<u32, (NvPublic, Vec<u8>)>);

const MISSING: ResponseCode = ResponseCode(ResponseCode::HANDLE.0 | 1 << 8);

impl Memory {
    pub fn data_mut(&mut self, index: u32) -> Option<&mut Vec<u8>> {
        self.0.get_mut(&index).map(|(_, data)| data)
    }

    /// Nothing for an index that is not there.
    pub fn name(&self, index: Option<u32>) -> Vec<u8> {
        let entry = index.and_then(|index| self.0.get(&index));
        entry.map_or_else(Vec::new, |(public, _)| public.name().to_vec())
    }

    pub fn public(&self, index: u32) -> Body {
        let (public, _) = self.0.get(&index).ok_or(MISSING)?;
        let mut body = written(|out| public.emit_sized(out));
        body.extend(sized(&public.name()));
        Ok(body)
    }

    pub fn define(&mut self, public: NvPublic) -> Result<(), ResponseCode> {
        if self.0.contains_key(&public.index) {
            return Err(ResponseCode::NV_DEFINED);
        }
        if self.0.len() >= INDICES_MAX || public.bytes > BYTES_MAX {
            return Err(ResponseCode::NV_SPACE);
        }
        let data = vec![0xff; usize::from(public.bytes)];
        self.0.insert(public.index, (public, data));
        Ok(())
    }

    pub fn undefine(&mut self, index: u32) -> Result<(), ResponseCode> {
        let removed = self.0.remove(&index);
        removed.map(drop).ok_or(MISSING)
    }

    pub fn write(&mut self, request: NvWrite<'_>) -> Result<(), ResponseCode> {
        let (public, data) = self.0.get_mut(&request.index).ok_or(MISSING)?;
        if public.attributes & attribute::OWNER_WRITE == 0 {
            return Err(ResponseCode::NV_AUTHORIZATION);
        }
        let start = usize::from(request.offset);
        let place = data.get_mut(start..start + request.data.len());
        place
            .ok_or(ResponseCode::NV_RANGE)?
            .copy_from_slice(request.data);
        public.attributes |= attribute::WRITTEN;
        Ok(())
    }

    pub fn read(&self, request: &NvRead) -> Body {
        let (public, data) = self.0.get(&request.index).ok_or(MISSING)?;
        if !public.is_written() {
            return Err(ResponseCode::NV_UNINITIALIZED);
        }
        let start = usize::from(request.offset);
        let range = start..start + usize::from(request.bytes);
        let bytes = data.get(range).ok_or(ResponseCode::NV_RANGE)?;
        Ok(sized(bytes))
    }
}
