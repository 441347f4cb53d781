//! Files on the exchange partition, written by the kernel and read by tools of the host, and the other way round.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, ensure};
use rayos_kernel::base::digest::{Hex, sha256};
use rayos_kernel::base::prng::Prng;
use rayos_tests::exchange::Exchange;
use rayos_tests::lab::guest::Guest;
use rayos_tests::poll;
use xtask::qemu::devices::{Backend, Device, HARDWARE_ADDRESS, Role};
use xtask::qemu::{Boot, Display, Shape};
use xtask::workspace::Scratch;

const WITHIN: Duration = Duration::from_secs(60);
const LARGE_BYTES: usize = 1_300_007;
const LONG_NAME: &str = "Ein längerer Name mit Leerzeichen, für beide Seiten.txt";

/// A disk image that grows as it is written.
fn disk(scratch: &Scratch, mebibytes: u64) -> anyhow::Result<PathBuf> {
    let path = scratch.path().join("disk.img");
    File::create(&path)?.set_len(mebibytes << 20)?;
    Ok(path)
}

fn boot(image: &Path) -> anyhow::Result<Guest> {
    let shape = Shape::new(Boot::Pvh)
        .display(Display::Absent)
        .virtio(Device::new("disk0", Role::Disk(image.to_path_buf())))
        .virtio(Device::network("net0", Backend::User, HARDWARE_ADDRESS));
    Guest::boot_plain(&shape)
}

fn kind(guest: &mut Guest) -> anyhow::Result<String> {
    let report = guest.ask("df")?;
    let kind = report
        .fields("")?
        .get("kind")
        .and_then(|kind| kind.as_str());
    Ok(kind.context("df names no kind")?.to_string())
}

fn sum(guest: &mut Guest, path: &str) -> anyhow::Result<String> {
    let report = guest.ask(&format!("sum '{path}'"))?;
    let sum = report
        .fields("")?
        .get("sha256")
        .and_then(|sum| sum.as_str());
    Ok(sum.context("there is no sum")?.to_string())
}

fn noise(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; LARGE_BYTES];
    Prng::new(seed).fill(&mut bytes);
    bytes
}

fn sum_of(bytes: &[u8]) -> String {
    Hex(&sha256(&[bytes])).to_string()
}

/// Gives these bytes to the first who asks; the port, and the thread that does it.
fn serve_once(bytes: Vec<u8>) -> anyhow::Result<(u16, JoinHandle<()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let serving = std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else {
            return;
        };
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        // Whoever hangs up early has its own reasons, which the test sees.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&bytes);
    });
    Ok((port, serving))
}

/// Fetches a large file from this host onto the kernel's disk.
fn fetch(guest: &mut Guest, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    poll::until("an address", WITHIN, || {
        let report = guest.ask("dhcp leases")?;
        let leases = report.column("leases", "address")?;
        Ok((!leases.is_empty()).then_some(()))
    })?;
    let (port, serving) = serve_once(bytes.to_vec())?;
    let report = guest.ask(&format!("net fetch http://10.0.2.2:{port}/ -o '{path}'"))?;
    let saved = report.fields("answer")?.get("saved_bytes").cloned();
    ensure!(saved == Some(bytes.len().into()), "saved: {saved:?}");
    serving.join().ok().context("the server broke")
}

/// What the kernel writes for the host to read.
fn write_on_the_kernel(guest: &mut Guest, large: &[u8]) -> anyhow::Result<()> {
    guest.ask("put NOTE.TXT written by the kernel")?;
    guest.ask(&format!("put '{LONG_NAME}' first line"))?;
    guest.ask(&format!("append '{LONG_NAME}' second line"))?;
    guest.ask("mkdir reports")?;
    guest.ask("mkdir 'reports/of today'")?;
    for number in 0..40 {
        guest.ask(&format!(
            "put 'reports/of today/measurement {number}.csv' {number}"
        ))?;
    }
    guest.ask("put gone.txt gone")?;
    guest.ask("rm gone.txt")?;
    guest.ask("put NOTE.TXT replaced by the kernel")?;
    fetch(guest, "large from the net.bin", large)?;
    ensure!(sum(guest, "large from the net.bin")? == sum_of(large));
    guest.is_well()
}

fn read_on_the_host(exchange: &Exchange, large: &[u8]) -> anyhow::Result<()> {
    exchange.check_table()?;
    exchange.check()?;
    ensure!(exchange.copy_out("NOTE.TXT")? == b"replaced by the kernel\n");
    ensure!(exchange.copy_out(LONG_NAME)? == b"first line\nsecond line\n");
    ensure!(exchange.copy_out("reports/of today/measurement 39.csv")? == b"39\n");
    ensure!(sum_of(&exchange.copy_out("large from the net.bin")?) == sum_of(large));
    let listing = exchange.list("")?;
    ensure!(!listing.contains("gone"), "{listing}");
    Ok(())
}

/// The host writes, a kernel that boots anew reads.
fn the_other_way_round(scratch: &Scratch, exchange: &Exchange) -> anyhow::Result<()> {
    let large = noise(2);
    let file = scratch.path().join("from the host");
    fs::write(&file, &large)?;
    exchange.copy_in(&file, "A large file from the Host.bin")?;
    fs::write(&file, "one\ntwo\n")?;
    exchange.make_directory("Vom Host")?;
    exchange.copy_in(&file, "Vom Host/ein Text für den Kern.txt")?;
    fs::write(&file, "# a script\necho from a script\nls 'Vom Host'\n")?;
    exchange.copy_in(&file, "start.txt")?;

    let mut guest = boot(&exchange.image)?;
    guest.expect_files()?;
    ensure!(sum(&mut guest, "a large file from the host.BIN")? == sum_of(&large));
    let (is_ok, said) = guest.attempt("cat 'Vom Host/ein Text für den Kern.txt'")?;
    ensure!(is_ok && said.contains(r#"["one","two"]"#), "{said}");
    let (is_ok, said) = guest.attempt("run start.txt")?;
    ensure!(is_ok && said.contains("from a script"), "{said}");
    ensure!(said.contains("ein Text für den Kern.txt"), "{said}");
    guest.ask("rm 'A large file from the Host.bin'")?;
    guest.ask("put 'Vom Host/answer.txt' read it")?;
    guest.is_well()?;
    drop(guest);
    exchange.check()?;
    ensure!(exchange.copy_out("Vom Host/answer.txt")? == b"read it\n");
    ensure!(exchange.copy_out("start.txt")?.starts_with(b"# a script\n"));
    Ok(())
}

/// A disk that the kernel lays out, and an exchange partition of that kind on it.
fn both_sides(mebibytes: u64, expected: &str, host: Option<(u32, u32)>) -> anyhow::Result<()> {
    let scratch = Scratch::new()?;
    let image = disk(&scratch, mebibytes)?;
    let mut guest = boot(&image)?;
    guest.lay_out()?;
    if let Some((bits, sectors_a_cluster)) = host {
        drop(guest);
        Exchange::of(&image)?.format(bits, sectors_a_cluster)?;
        guest = boot(&image)?;
        guest.expect_files()?;
    }
    ensure!(kind(&mut guest)? == expected);
    let large = noise(1);
    write_on_the_kernel(&mut guest, &large)?;
    // Dropping the session kills QEMU; everything was answered.
    drop(guest);
    let exchange = Exchange::of(&image)?;
    read_on_the_host(&exchange, &large)?;
    the_other_way_round(&scratch, &exchange)
}

#[test]
fn fat12_as_the_kernel_makes_it_serves_both_sides() {
    both_sides(24, "FAT12", None).unwrap();
}

#[test]
fn fat16_as_the_kernel_makes_it_serves_both_sides() {
    both_sides(256, "FAT16", None).unwrap();
}

#[test]
fn fat32_as_the_kernel_makes_it_serves_both_sides() {
    both_sides(4096, "FAT32", None).unwrap();
}

#[test]
fn fat12_as_the_host_makes_it_serves_both_sides() {
    both_sides(24, "FAT12", Some((12, 4))).unwrap();
}

#[test]
fn fat16_as_the_host_makes_it_serves_both_sides() {
    both_sides(160, "FAT16", Some((16, 2))).unwrap();
}

#[test]
fn fat32_as_the_host_makes_it_serves_both_sides() {
    both_sides(320, "FAT32", Some((32, 1))).unwrap();
}
