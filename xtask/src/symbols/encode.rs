//! Packs a program's functions and lines into the blob that the kernel reads.

use std::collections::HashMap;

use anyhow::Context;
use rayos_kernel::base::symbols::{
    FILE_BYTES, FUNCTION_BYTES, HEADER_BYTES, MAGIC, VERSION, WAY_BITS, WAY_FILE_BEFORE,
    WAY_NO_SOURCE, WAY_OTHER_FILE, WAY_SAME_FILE,
};

use super::collect::{Function, Line, Program};

/// The blob for `program`, as `rayos_kernel::base::symbols` describes it.
pub fn encode(program: &Program) -> anyhow::Result<Vec<u8>> {
    let base = program.functions.first().map_or(0, |first| first.address);
    let mut strings = Strings::default();
    let mut functions = Vec::new();
    let mut records = Vec::new();
    let mut row_count = 0;
    for function in &program.functions {
        functions.extend(narrow(function.address - base)?.to_le_bytes());
        functions.extend(narrow(records.len() as u64)?.to_le_bytes());
        push_record(&mut records, &mut strings, function)?;
        row_count += function.rows.len();
    }
    let mut files = Vec::new();
    for path in &program.files {
        files.extend(strings.offset(path)?.to_le_bytes());
    }

    let used_bytes =
        HEADER_BYTES + functions.len() + files.len() + records.len() + strings.bytes.len();
    let mut blob = Vec::with_capacity(used_bytes);
    blob.extend(MAGIC);
    blob.extend(VERSION.to_le_bytes());
    blob.extend(narrow(used_bytes as u64)?.to_le_bytes());
    blob.extend(base.to_le_bytes());
    for count in [
        functions.len() / FUNCTION_BYTES,
        files.len() / FILE_BYTES,
        row_count,
        records.len(),
    ] {
        blob.extend(narrow(count as u64)?.to_le_bytes());
    }
    for table in [functions, files, records, strings.bytes] {
        blob.extend(table);
    }
    Ok(blob)
}

fn push_record(
    records: &mut Vec<u8>,
    strings: &mut Strings,
    function: &Function,
) -> anyhow::Result<()> {
    push_varint(records, narrow(function.size_bytes)?);
    push_varint(records, strings.offset(&function.name)?);
    push_varint(records, narrow(function.rows.len() as u64)?);
    let mut address = function.address;
    // The file in use with its last line, and the one used before it.
    let (mut here, mut before) = (None::<Line>, None::<Line>);
    for row in &function.rows {
        let distance = narrow((row.address - address) << WAY_BITS)?;
        address = row.address;
        let Some(line) = row.line else {
            push_varint(records, distance | WAY_NO_SOURCE);
            continue;
        };
        match (here, before) {
            (Some(last), _) if last.file == line.file => {
                push_varint(records, distance | WAY_SAME_FILE);
                push_zigzag(records, line.number.wrapping_sub(last.number) as i32);
            }
            (_, Some(last)) if last.file == line.file => {
                push_varint(records, distance | WAY_FILE_BEFORE);
                push_zigzag(records, line.number.wrapping_sub(last.number) as i32);
                before = here;
            }
            _ => {
                push_varint(records, distance | WAY_OTHER_FILE);
                push_varint(records, narrow(line.file as u64)?);
                push_varint(records, line.number);
                before = here;
            }
        }
        here = Some(line);
    }
    Ok(())
}

/// Strings behind one another, each once.
#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    offsets: HashMap<String, u32>,
}

impl Strings {
    fn offset(&mut self, text: &str) -> anyhow::Result<u32> {
        if let Some(&offset) = self.offsets.get(text) {
            return Ok(offset);
        }
        let offset = narrow(self.bytes.len() as u64)?;
        push_varint(&mut self.bytes, narrow(text.len() as u64)?);
        self.bytes.extend(text.as_bytes());
        self.offsets.insert(text.to_owned(), offset);
        Ok(offset)
    }
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn push_zigzag(bytes: &mut Vec<u8>, value: i32) {
    push_varint(bytes, (value << 1 ^ value >> 31) as u32);
}

fn narrow(value: u64) -> anyhow::Result<u32> {
    u32::try_from(value).context("its code spans more than the 4 GiB that the symbol format covers")
}
