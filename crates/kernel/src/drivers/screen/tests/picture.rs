//! One scripted session on several displays: its text and its pixels.

use super::{TestConsole, console_on, geometry, pixel, write_all};
use crate::drivers::screen::{Geometry, PixelFormat};
use std::io::Write;
use std::path::Path;
use std::{format, fs};

/// What a person might have on the screen.
const SESSION: &str = "\x1b[1mRayOS 0.1.0\x1b[0m  x86_64, 4 cores, 256 MiB\n\
    \n\
    rayos> cpu\n\
    \x1b[1mcore  state    load  wake-ups\x1b[0m\n\
    ────  ───────  ────  ────────\n\
    0     \x1b[32mrunning\x1b[0m   12%      1204\n\
    1     \x1b[90mhalted\x1b[0m     0%        17\n\
    2     \x1b[33mstarting\x1b[0m    ?         ?\n\
    3     \x1b[1;31mfailed\x1b[0m     -         -\n\
    ┌─┬─┐ ╔═╦═╗ ┏━┳━┓ ╭─╮ ▁▂▃▄▅▆▇█\n\
    ├─┼─┤ ╠═╬═╣ ┣━╋━┫ │ │ ░░▒▒▓▓██\n\
    └─┴─┘ ╚═╩═╝ ┗━┻━┛ ╰─╯ ▏▎▍▌▋▊▉█\n\
    àéîõü ß € ← ↑ → ↓ … “q” • 日本 \u{fffd}\n\
    \x1b[7m inverse \x1b[0m \x1b[4munderlined\x1b[0m \x1b[41m red \x1b[44m blue \x1b[30;42m green \x1b[0m\n\
    rayos> status";

const DISPLAYS: [(&str, Geometry); 3] = [
    ("320x200-grey", geometry(320, 200, 320, 1, PixelFormat::U8)),
    ("640x480-bgr", geometry(640, 480, 647, 3, PixelFormat::Bgr)),
    (
        "1280x720-rgb",
        geometry(1280, 720, 1280, 4, PixelFormat::Rgb),
    ),
];

fn session_on(display: Geometry) -> TestConsole {
    let mut console = console_on(display);
    write_all(&mut console, SESSION.as_bytes());
    while console.draw(1_000) > 0 {}
    console
}

/// The hash of FNV-1a over the red, green and blue of every pixel of the picture.
fn hash(console: &TestConsole) -> u64 {
    let display = *console.painter.framebuffer().geometry();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for y in 0..display.height {
        for byte in (0..display.width).flat_map(|x| pixel(console, x, y)) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}

/// Writes the picture where a person can look at it, as a portable pixmap.
fn keep_picture(name: &str, console: &TestConsole) {
    let display = *console.painter.framebuffer().geometry();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screen");
    fs::create_dir_all(&folder).unwrap();
    let mut file = fs::File::create(folder.join(format!("{name}.ppm"))).unwrap();
    let mut picture = format!("P6\n{} {}\n255\n", display.width, display.height).into_bytes();
    for y in 0..display.height {
        picture.extend((0..display.width).flat_map(|x| pixel(console, x, y)));
    }
    file.write_all(&picture).unwrap();
}

/// The pictures were looked at when these were written down; `target/screen` has them.
#[test]
fn a_session_looks_as_it_did_when_a_person_approved_it() {
    let approved: [u64; 3] = [
        0x3695_e334_a214_2b42,
        0xe1ad_492a_e1fa_7ef2,
        0xcd3e_dfdc_7b3f_4620,
    ];
    let hashes = DISPLAYS.map(|(name, display)| {
        let console = session_on(display);
        keep_picture(name, &console);
        hash(&console)
    });
    assert_eq!(hashes, approved, "look at the pictures in target/screen");
}
