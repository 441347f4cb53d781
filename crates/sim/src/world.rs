//! A world with one kernel or several, their machines, and one clock.

use crate::disk::SimDisk;
use crate::machine::{Settings, SimMachine};
use crate::wire::Wire;
use rayos_kernel::base::time::{Duration, Instant};
use rayos_kernel::kernel::Kernel;

/// What one tick costs, so that time passes even for a kernel that never sleeps.
const TICK_TIME: Duration = Duration::from_micros(1);

pub struct World {
    now: Instant,
    nodes: Vec<Node>,
}

struct Node {
    kernel: Kernel<SimMachine>,
    /// When the kernel wants to run though nothing arrives.
    deadline: Option<Instant>,
    is_off: bool,
}

impl World {
    /// A world of one machine.
    pub fn single(settings: Settings) -> Self {
        Self::new(vec![settings])
    }

    pub fn new(machines: Vec<Settings>) -> Self {
        let nodes = machines.into_iter().map(|settings| Node {
            kernel: Kernel::new(SimMachine::new(settings)),
            deadline: Some(Instant::ZERO),
            is_off: false,
        });
        Self {
            now: Instant::ZERO,
            nodes: nodes.collect(),
        }
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn machine(&mut self, node: usize) -> &mut SimMachine {
        self.nodes[node].kernel.machine_mut()
    }

    pub fn kernel(&mut self, node: usize) -> &mut Kernel<SimMachine> {
        &mut self.nodes[node].kernel
    }

    pub fn serial(&mut self, node: usize) -> &mut Wire {
        &mut self.machine(node).serial
    }

    /// Types at the serial line of a node; the kernel sees it in its next tick.
    pub fn feed(&mut self, node: usize, bytes: &[u8]) {
        self.serial(node).feed(bytes);
        self.wake(node);
    }

    /// Makes the kernel's next tick due now, as an interrupt does.
    pub fn wake(&mut self, node: usize) {
        self.nodes[node].deadline = Some(self.now);
    }

    /// Cuts the power of a node: its memory is gone, and of what its disks had not
    /// flushed each write may be.
    pub fn crash(&mut self, node: usize) {
        self.nodes[node].is_off = true;
        let machine = self.machine(node);
        machine.disks.iter_mut().for_each(SimDisk::cut_power);
    }

    /// Starts a node that is off, or one that runs as by its reset button. The clock that
    /// its kernel sees goes on.
    pub fn restart(&mut self, node: usize) {
        let (now, node) = (self.now, &mut self.nodes[node]);
        let machine = node.kernel.machine_mut();
        if !std::mem::replace(&mut node.is_off, false) {
            machine.disks.iter_mut().for_each(SimDisk::reset);
        }
        node.kernel = Kernel::new(machine.next_boot());
        node.deadline = Some(now);
    }

    /// Runs for a span of simulated time.
    pub fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step_until(end) {}
        self.move_clock(end);
    }

    /// Runs until `is_reached` or the span has passed; says which.
    pub fn run_until(
        &mut self,
        span: Duration,
        mut is_reached: impl FnMut(&mut Self) -> bool,
    ) -> bool {
        let end = self.now + span;
        while !is_reached(self) {
            if !self.step_until(end) {
                self.move_clock(end);
                return is_reached(self);
            }
        }
        true
    }

    /// Goes to what happens next, if that is before `end`, and lets it happen.
    fn step_until(&mut self, end: Instant) -> bool {
        let next = self.nodes.iter().filter_map(Node::next).min();
        let Some(next) = next.filter(|next| *next < end) else {
            return false;
        };
        let now = next.max(self.now);
        let mut due = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            // Asked before the devices work, for then what they had to say is gone.
            if node.next().is_some_and(|at| at <= now) {
                due.push(index);
            }
        }
        self.move_clock(now);
        for index in due {
            let node = &mut self.nodes[index];
            node.deadline = node.kernel.tick();
        }
        self.move_clock(self.now + TICK_TIME);
        true
    }

    fn move_clock(&mut self, now: Instant) {
        self.now = self.now.max(now);
        for node in &mut self.nodes {
            node.kernel.machine_mut().advance_to(self.now);
        }
    }
}

impl Node {
    fn next(&self) -> Option<Instant> {
        if self.is_off {
            return None;
        }
        let event = self.kernel.machine().next_event();
        self.deadline.into_iter().chain(event).min()
    }
}
