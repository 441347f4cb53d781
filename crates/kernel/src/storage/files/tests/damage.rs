//! Volumes of which one number is wrong: nobody is shown what is in no file.

use super::super::Act;
use super::bench::{Bench, FIRST, noise};
use super::checker::check;
use super::refusals::{mount_again, slot};
use crate::storage::fat::Kind;
use std::format;
use std::string::String;

fn first_cluster(bench: &mut Bench, name: &[u8; 11]) -> u16 {
    let slot = slot(bench, name);
    u16::from_le_bytes([slot[26], slot[27]])
}

/// Lets both copies of the table of FAT16 say what comes behind a cluster.
fn link(bench: &mut Bench, cluster: u16, next: u16) {
    let table = (FIRST as usize + 1) * 512;
    let table_bytes = usize::from(bench.volume()[22]) * 512;
    for copy in 0..2 {
        let at = table + copy * table_bytes + usize::from(cluster) * 2;
        bench.rig.disks[0][at..at + 2].copy_from_slice(&next.to_le_bytes());
    }
    mount_again(bench);
}

fn is_damage(answer: &Result<String, String>) -> bool {
    let error = answer.as_ref().err();
    error.is_some_and(|error| error.contains("damaged at cluster"))
}

#[test]
fn a_chain_that_leads_into_itself_is_named_wherever_it_does() {
    const CLUSTERS: u16 = 9;
    for from in 0..CLUSTERS {
        for to in 0..=from {
            let mut bench = Bench::new(Kind::Fat16);
            let contents = noise(usize::from(CLUSTERS) * 512 - 20);
            bench.receive("LOOP", &contents).unwrap();
            let first = first_cluster(&mut bench, b"LOOP       ");
            link(&mut bench, first + from, first + to);
            let said = format!("{from} leads to {to}");
            let text = "x".repeat(600).into();
            for act in [Act::Sum, Act::Show, Act::Append { text }] {
                assert!(is_damage(&bench.run("LOOP", act)), "{said}");
            }
            // What is left of it can go, and takes nothing with it.
            bench.run("LOOP", Act::Remove).unwrap();
        }
    }
}

#[test]
fn a_directory_that_leads_into_itself_is_named_and_not_shown_again_and_again() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.run("DIR", Act::MakeDirectory).unwrap();
    // With itself and its parent that fills a cluster.
    for count in 0..14 {
        bench.put(&format!("DIR/{count}"), "").unwrap();
    }
    let cluster = first_cluster(&mut bench, b"DIR        ");
    link(&mut bench, cluster, cluster);
    assert!(is_damage(&bench.run("DIR", Act::List)));
    assert!(is_damage(&bench.run("DIR/ANOTHER", Act::Show)));
    assert!(is_damage(&bench.put("DIR/ANOTHER", "x")));
    assert_eq!(bench.run("DIR/3", Act::Show).unwrap(), "");
}

#[test]
fn a_cluster_that_the_kernel_does_not_use_is_not_counted_as_free_once_a_host_gave_it_a_file() {
    // Its entry begins with the last byte of the table's first sector.
    const SPLIT: u16 = 341;
    let mut bench = Bench::new(Kind::Fat12);
    bench.put("FOREIGN", "").unwrap();
    let table = (FIRST as usize + 1) * 512;
    let table_bytes = usize::from(bench.volume()[22]) * 512;
    for copy in 0..2 {
        let at = table + copy * table_bytes + 511;
        bench.rig.disks[0][at..at + 2].copy_from_slice(&[0xf0, 0xff]);
    }
    let foreign = slot(&mut bench, b"FOREIGN    ");
    foreign[26..28].copy_from_slice(&SPLIT.to_le_bytes());
    foreign[28] = 9;
    mount_again(&mut bench);
    let before = bench.free();
    bench.run("FOREIGN", Act::Remove).unwrap();
    assert_eq!(bench.free(), before);
    mount_again(&mut bench);
    assert_eq!(bench.free(), before);
    assert_eq!(check(bench.volume()).unwrap().lost, 0);
}

#[test]
fn what_others_keep_beside_a_cluster_of_fat16_is_no_part_of_its_number() {
    let mut bench = Bench::new(Kind::Fat16);
    bench.put("NOTE", "text").unwrap();
    slot(&mut bench, b"NOTE       ")[20..22].copy_from_slice(&[0x34, 0x12]);
    mount_again(&mut bench);
    assert_eq!(bench.run("NOTE", Act::Show).unwrap(), "text");
    bench.append("NOTE", " and more").unwrap();
    assert_eq!(bench.run("NOTE", Act::Show).unwrap(), "text and more");
}

#[test]
fn works_of_a_volume_whose_disk_is_gone_before_it_was_looked_at_are_answered() {
    let mut bench = Bench::new(Kind::Fat16);
    let disks = core::mem::take(&mut bench.rig.disks);
    mount_again(&mut bench);
    assert!(bench.run("", Act::List).is_err());
    bench.rig.disks = disks;
    mount_again(&mut bench);
    assert_eq!(bench.run("", Act::List).unwrap(), "");
}
