//! What a GPU's driver promises: the picture arrives, lies do no harm.

use super::*;
use crate::base::fixed::Text;
use crate::base::panel::PanelItem;
use crate::drivers::virtio::fake::FakeDevice;
use crate::memory::read_as_device;
use std::vec::Vec;

const DONE: u32 = 0x1100;
const CELLS: usize = usize::MAX;

/// The device's side: a display of some size, and what it shows.
struct Host {
    device: FakeDevice,
    width: u32,
    height: u32,
    is_on: bool,
    /// Answers to creations that are too large.
    bytes_max: u64,
    /// Resource, its width, its backing and what was transferred.
    resource: Option<(u32, u32, u64, Vec<u8>)>,
    commands: Vec<u32>,
    transferred: u64,
    is_shown: bool,
}

impl Host {
    fn new(width: u32, height: u32) -> Self {
        let mut config = std::vec![0; 16];
        config[8] = 1;
        Self {
            device: FakeDevice::new(16, 0, &config, &[64, 16]),
            width,
            height,
            is_on: true,
            bytes_max: u64::MAX,
            resource: None,
            commands: Vec::new(),
            transferred: 0,
            is_shown: false,
        }
    }

    fn serve(&mut self) -> bool {
        let Some(request) = self.device.take(0) else {
            return false;
        };
        let words: Vec<u32> = request
            .readable
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect();
        self.commands.push(words[0]);
        let answer = self.obey(&words);
        self.device.answer(0, &request, &answer);
        true
    }

    fn obey(&mut self, words: &[u32]) -> Vec<u8> {
        let mut answer = std::vec![0; 24];
        let mut status = DONE;
        match words[0] {
            0x0100 => {
                status = 0x1101;
                answer.resize(408, 0);
                answer[32..36].copy_from_slice(&self.width.to_le_bytes());
                answer[36..40].copy_from_slice(&self.height.to_le_bytes());
                answer[40] = u8::from(self.is_on);
            }
            0x0101 => {
                let bytes = u64::from(words[8]) * u64::from(words[9]) * 4;
                if bytes > self.bytes_max {
                    status = 0x1201;
                } else {
                    assert!(self.resource.is_none(), "two resources at a time");
                    let pixels = std::vec![0; bytes as usize];
                    self.resource = Some((words[6], words[8], 0, pixels));
                }
            }
            0x0102 => {
                assert_eq!(self.resource.take().unwrap().0, words[6]);
                self.is_shown = false;
            }
            0x0103 => self.is_shown = true,
            0x0104 => assert!(self.is_shown),
            0x0105 => self.transfer(words),
            0x0106 => {
                let resource = self.resource.as_mut().unwrap();
                resource.2 = u64::from(words[8]) | u64::from(words[9]) << 32;
                assert_eq!(words[10] as usize, resource.3.len());
            }
            command => panic!("no command {command:x}"),
        }
        answer[..4].copy_from_slice(&status.to_le_bytes());
        answer
    }

    fn transfer(&mut self, words: &[u32]) {
        let [x, y, width, height] = [words[6], words[7], words[8], words[9]];
        let offset = u64::from(words[10]) | u64::from(words[11]) << 32;
        let (_, stride, backing, pixels) = self.resource.as_mut().unwrap();
        assert_eq!(offset, u64::from((y * *stride + x) * 4));
        for line in 0..height {
            let from = backing.wrapping_add(offset) + u64::from(line * *stride * 4);
            let to = ((y + line) * *stride + x) as usize * 4;
            let run = &mut pixels[to..to + width as usize * 4];
            assert!(read_as_device(from, run));
        }
        self.transferred += u64::from(width) * u64::from(height);
    }

    fn pixels(&self) -> &[u8] {
        &self.resource.as_ref().unwrap().3
    }

    fn tell_of_change(&self) {
        self.device.state().config[0] = 1;
    }
}

struct Rig {
    host: Host,
    driver: GpuDriver,
    now: Instant,
}

impl Rig {
    fn new(host: Host) -> Self {
        let mut driver = GpuDriver::new();
        let transport = host.device.transport();
        driver.attach(transport, Instant::ZERO).unwrap();
        Self {
            host,
            driver,
            now: Instant::ZERO,
        }
    }

    /// Lets both sides work until neither has anything to say.
    fn settle(&mut self, has_config_changed: bool) -> Result<(), DeviceLie> {
        let mut event = Event {
            has_config_changed,
            ..Event::default()
        };
        let mut quiet = 0;
        while quiet < 3 {
            self.now = self.now + SHOW_EVERY;
            self.driver.poll(self.now, event)?;
            event = Event::default();
            self.driver.draw(self.now, CELLS);
            quiet = if self.host.serve() { 0 } else { quiet + 1 };
        }
        Ok(())
    }

    fn write(&mut self, text: &str) {
        let console = self.driver.text();
        assert_eq!(console.write(text.as_bytes()), text.len());
        self.settle(false).unwrap();
    }

    /// The picture's own memory is what the display must show.
    fn assert_all_is_shown(&mut self) {
        let picture = self.driver.picture.as_ref().unwrap();
        let mut memory = std::vec![0; picture.size().bytes() as usize];
        let Command::Attach { address, .. } = picture.attach() else {
            panic!("no address");
        };
        assert!(read_as_device(address, &mut memory));
        assert!(self.host.pixels() == memory);
    }
}

fn items(uptime: &str) -> PanelItems {
    core::array::from_fn(|index| PanelItem {
        label: ["machine", "uptime", "address", "load", "memory", "link"][index],
        value: (index < 2).then(|| Text::cut_from(uptime)),
    })
}

#[test]
fn what_is_written_comes_before_peoples_eyes_and_only_that() {
    let mut rig = Rig::new(Host::new(1280, 800));
    assert!(Driver::display(&mut rig.driver).is_none());
    rig.settle(false).unwrap();
    assert_eq!(rig.host.commands[..4], [0x100, 0x101, 0x106, 0x103]);
    rig.driver.show_panel(&items("0:00:01"));
    rig.write("hello\n");
    rig.assert_all_is_shown();
    let before = rig.host.transferred;
    rig.write("x");
    rig.assert_all_is_shown();
    // Two cells: the letter and the cursor behind it.
    let letter = rig.host.transferred - before;
    assert!((200..2_000).contains(&letter), "{letter} pixels");
    rig.driver.show_panel(&items("0:00:02"));
    rig.settle(false).unwrap();
    rig.assert_all_is_shown();
    assert_eq!(rig.driver.next_deadline(), None);
    let commands = rig.host.commands.len();
    rig.driver.show_panel(&items("0:00:02"));
    rig.settle(false).unwrap();
    assert_eq!(rig.host.commands.len(), commands);
}

#[test]
fn the_picture_follows_the_size_of_the_display() {
    let mut rig = Rig::new(Host::new(1280, 800));
    rig.settle(false).unwrap();
    rig.write("a long line that stays when the display becomes smaller\n");
    let columns = rig.driver.text().columns();
    (rig.host.width, rig.host.height) = (640, 480);
    rig.host.tell_of_change();
    rig.settle(true).unwrap();
    assert_eq!(rig.host.device.state().config[4], 1);
    assert!(rig.driver.text().columns() < columns);
    assert_eq!(rig.host.pixels().len(), 640 * 480 * 4);
    rig.assert_all_is_shown();
    let view = Display::view(&rig.driver);
    assert_eq!((view.width, view.height, view.resizes), (640, 480, 1));
    // A change that changes nothing costs one question.
    let commands = rig.host.commands.len();
    rig.host.tell_of_change();
    rig.settle(true).unwrap();
    assert_eq!(rig.host.commands[commands..], [0x100]);
}

#[test]
fn a_display_that_is_off_keeps_its_picture_and_one_that_never_was_on_waits() {
    let mut rig = Rig::new(Host::new(800, 600));
    rig.host.is_on = false;
    rig.settle(false).unwrap();
    assert!(Driver::display(&mut rig.driver).is_none());
    rig.host.is_on = true;
    rig.host.tell_of_change();
    rig.settle(true).unwrap();
    rig.assert_all_is_shown();
    rig.host.is_on = false;
    rig.host.tell_of_change();
    rig.settle(true).unwrap();
    rig.write("still here");
    rig.assert_all_is_shown();
}

#[test]
fn a_picture_that_is_too_large_or_too_small_gives_way_to_another() {
    for (width, height) in [(16_384, 16_384), (1, 1), (100, 3_000)] {
        let mut rig = Rig::new(Host::new(width, height));
        rig.settle(false).unwrap();
        assert_eq!(rig.host.pixels().len(), 1024 * 768 * 4);
        rig.assert_all_is_shown();
    }
    let mut host = Host::new(1280, 800);
    host.bytes_max = 2_000_000;
    let mut rig = Rig::new(host);
    rig.settle(false).unwrap();
    assert_eq!(rig.host.pixels().len(), 640 * 480 * 4);
    rig.assert_all_is_shown();
    let mut host = Host::new(1280, 800);
    host.bytes_max = 1000;
    let mut rig = Rig::new(host);
    rig.settle(false).unwrap();
    assert!(Driver::display(&mut rig.driver).is_none());
}

#[test]
fn a_device_that_is_reset_shows_the_same_text_again() {
    let mut rig = Rig::new(Host::new(800, 600));
    rig.settle(false).unwrap();
    rig.write("before");
    rig.driver.stop();
    rig.driver.poll(rig.now, Event::default()).unwrap();
    rig.driver.reclaim();
    assert!(Driver::display(&mut rig.driver).is_none());
    rig.host = Host::new(800, 600);
    let transport = rig.host.device.transport();
    rig.driver.attach(transport, rig.now).unwrap();
    rig.settle(false).unwrap();
    rig.assert_all_is_shown();
    assert!(rig.host.pixels().chunks(4).any(|pixel| pixel[0] > 0x80));
}

#[test]
fn keys_type_and_lights_follow() {
    let mut driver = GpuDriver::new();
    let key = |code, value| InputEvent {
        kind: 1,
        code,
        value,
    };
    driver.set_keymap(Keymap::De);
    // The key right of T, held until it repeats.
    for value in [1, 2, 0] {
        driver.on_key(&key(21, value));
    }
    let mut bytes = [0; 8];
    assert_eq!(driver.text().read(&mut bytes), 2);
    assert_eq!(&bytes[..2], b"zz");
    assert!(
        driver
            .take_lights()
            .is_some_and(|lights| lights.is_num_lock)
    );
    driver.on_key(&key(58, 1));
    assert!(
        driver
            .take_lights()
            .is_some_and(|lights| lights.is_caps_lock)
    );
    assert_eq!(driver.take_lights(), None);
}

#[test]
fn every_lie_is_named() {
    let field = |width, height, answer: Option<(u32, usize)>| {
        let mut rig = Rig::new(Host::new(width, height));
        let Some((status, length)) = answer else {
            return rig.settle(false).unwrap_err().field();
        };
        let request = rig.host.device.take(0).unwrap();
        let mut bytes = std::vec![0; 408];
        bytes[..4].copy_from_slice(&status.to_le_bytes());
        rig.host.device.answer(0, &request, &bytes[..length]);
        rig.settle(false).unwrap_err().field()
    };
    assert_eq!(field(0, 600, None), "display width");
    assert_eq!(field(800, 0, None), "display height");
    assert_eq!(field(u32::MAX, u32::MAX, None), "display width");
    assert_eq!(field(8, 6, Some((0x1101, 20))), "GPU answer length");
    assert_eq!(field(8, 6, Some((0, 408))), "GPU answer");
    assert_eq!(field(8, 6, Some((0x1200, 24))), "GPU answer");
    for scanouts in [0u8, 17, 255] {
        let host = Host::new(800, 600);
        host.device.state().config[8] = scanouts;
        let result = GpuDriver::new().attach(host.device.transport(), Instant::ZERO);
        let Err(StartError::Lie(lie)) = result else {
            panic!("{scanouts} scan-outs");
        };
        assert_eq!(lie.field(), "number of scan-outs");
    }
}
