//! The ring over memory in which the test plays the kernel: it maps the same memory a second time, writes
//! blocks there and hands them over. What needs a packet socket is in `tests/af_packet.rs`.

use std::collections::VecDeque;
use std::ffi::CString;
use std::net::UdpSocket;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Bits that the kernel sets beside `TP_STATUS_USER`: frames were lost, the block's time was up.
const BESIDE: [u32; 3] = [0, libc::TP_STATUS_LOSING, 1 << 5];

fn geometry(blocks: usize) -> Geometry {
    Geometry {
        block_bytes: page_bytes(),
        blocks,
        retire_ms: 0,
    }
}

fn memory_file(name: &str, geometry: Geometry) -> OwnedFd {
    let name = CString::new(name).unwrap();
    // SAFETY: the name is a terminated string that outlives the call.
    let file = unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC) };
    assert!(file >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the descriptor was just made and nobody else has it.
    let file = unsafe { OwnedFd::from_raw_fd(file) };
    let bytes = geometry.block_bytes * geometry.blocks;
    // SAFETY: takes no pointers.
    let result = unsafe { libc::ftruncate(file.as_raw_fd(), bytes.try_into().unwrap()) };
    check(result).unwrap();
    file
}

/// The other side of a ring.
struct Kernel {
    memory: Memory,
    geometry: Geometry,
    /// The block that it fills next.
    next: usize,
}

impl Kernel {
    fn with_ring(name: &str, blocks: usize) -> (Self, Ring) {
        let geometry = geometry(blocks);
        let file = memory_file(name, geometry);
        let kernel = Self {
            memory: Memory::map(&file, geometry).unwrap(),
            geometry,
            next: 0,
        };
        (kernel, Ring::over(file, geometry).unwrap())
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        assert!(block < self.geometry.blocks);
        let offset = block * self.geometry.block_bytes + STATUS_OFFSET;
        // SAFETY: within the mapping, aligned, and accessed atomically only.
        unsafe { AtomicU32::from_ptr(self.memory.base.as_ptr().add(offset).cast()) }
    }

    fn owns_next(&self) -> bool {
        self.status(self.next).load(Ordering::Acquire) == libc::TP_STATUS_KERNEL
    }

    /// Writes the content of block number `sequence` to the next block, all but its status.
    fn write(&self, sequence: u32) {
        assert!(
            self.owns_next(),
            "the kernel does not write to a block of the reader"
        );
        let offset = self.next * self.geometry.block_bytes;
        for (at, byte) in content(sequence, self.geometry.block_bytes) {
            // SAFETY: within the mapping; the reader looks at it after the status was released.
            unsafe { self.memory.base.as_ptr().add(offset + at).write(byte) };
        }
    }

    fn hand_over(&mut self, beside: u32) {
        let status = libc::TP_STATUS_USER | beside;
        self.status(self.next).store(status, Ordering::Release);
        self.next = (self.next + 1) % self.geometry.blocks;
    }
}

/// What stands where in block number `sequence`, but for its status.
fn content(sequence: u32, block_bytes: usize) -> impl Iterator<Item = (usize, u8)> {
    let number = sequence.to_ne_bytes();
    (0..block_bytes)
        .filter(|at| !(STATUS_OFFSET..STATUS_OFFSET + 4).contains(at))
        .map(move |at| (at, number[at % 4] ^ (at / 4).to_le_bytes()[0]))
}

fn assert_content(block: &Block<'_>, sequence: u32) {
    let bytes = block.bytes();
    assert_eq!(bytes.len(), block.ring.geometry.block_bytes);
    for (at, byte) in content(sequence, bytes.len()) {
        assert_eq!(bytes[at], byte, "byte {at} of block {sequence}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Act {
    /// The kernel writes to the block that it has in hand.
    Write,
    /// It hands over what it wrote, perhaps much later, with these other bits.
    HandOver(u32),
}

#[derive(Debug, Clone)]
enum Step {
    Kernel(Act),
    /// The reader takes a block if there is one, keeps it meanwhile, and drops it.
    Take(Vec<Act>),
}

fn act() -> impl Strategy<Value = Act> {
    let hand_over = prop::sample::select(BESIDE.to_vec()).prop_map(Act::HandOver);
    prop_oneof![Just(Act::Write), hand_over]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => act().prop_map(Step::Kernel),
        1 => proptest::collection::vec(act(), 0..6).prop_map(Step::Take),
    ]
}

/// A ring as a queue: what the kernel handed over and the reader did not give back.
struct Model {
    kernel: Kernel,
    sequence: u32,
    is_written: bool,
    with_reader: VecDeque<u32>,
    /// The block that comes next to the reader.
    next: usize,
}

impl Model {
    fn act(&mut self, act: Act) {
        let has_room = self.with_reader.len() < self.kernel.geometry.blocks;
        assert_eq!(self.kernel.owns_next(), has_room);
        match act {
            Act::Write if has_room && !self.is_written => {
                self.kernel.write(self.sequence);
                self.is_written = true;
            }
            Act::HandOver(beside) if self.is_written => {
                self.kernel.hand_over(beside);
                self.with_reader.push_back(self.sequence);
                self.sequence += 1;
                self.is_written = false;
            }
            // There is no room, or nothing to hand over.
            Act::Write | Act::HandOver(_) => {}
        }
    }

    fn take(&mut self, ring: &mut Ring, meanwhile: &[Act]) {
        let Some(block) = ring.take() else {
            assert!(self.with_reader.is_empty(), "a block was not seen");
            return;
        };
        let sequence = *self
            .with_reader
            .front()
            .expect("a block that was not handed over");
        assert_content(&block, sequence);
        for &act in meanwhile {
            self.act(act);
        }
        assert_content(&block, sequence);
        drop(block);
        self.with_reader.pop_front();
        self.next = (self.next + 1) % self.kernel.geometry.blocks;
    }

    /// Whose each block is.
    fn check(&self, ring: &Ring) {
        let blocks = self.kernel.geometry.blocks;
        for distance in 0..blocks {
            let block = (self.next + distance) % blocks;
            let status = self.kernel.status(block).load(Ordering::Acquire);
            let is_readers = distance < self.with_reader.len();
            assert_eq!(
                status & libc::TP_STATUS_USER != 0,
                is_readers,
                "block {block}"
            );
            assert_eq!(
                status == libc::TP_STATUS_KERNEL,
                !is_readers,
                "block {block}"
            );
        }
        assert_eq!(ring.is_ready(), !self.with_reader.is_empty());
    }
}

proptest! {
    #[test]
    fn a_ring_is_a_queue_of_blocks_in_the_order_in_which_the_kernel_fills_them(
        blocks in 1usize..5,
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let (kernel, mut ring) = Kernel::with_ring("bwmon-model", blocks);
        let mut model = Model {
            kernel,
            sequence: 0,
            is_written: false,
            with_reader: VecDeque::new(),
            next: 0,
        };
        for step in steps {
            match step {
                Step::Kernel(act) => model.act(act),
                Step::Take(meanwhile) => model.take(&mut ring, &meanwhile),
            }
            model.check(&ring);
        }
        while !model.with_reader.is_empty() {
            model.take(&mut ring, &[]);
            model.check(&ring);
        }
    }
}

#[test]
fn rounds_with_a_full_ring_and_an_empty_one_keep_the_order() {
    let (mut kernel, mut ring) = Kernel::with_ring("bwmon-rounds", 3);
    for round in 0..10 {
        for sequence in round * 3..round * 3 + 3 {
            kernel.write(sequence);
            assert!(
                sequence != round * 3 || ring.take().is_none(),
                "written is not handed over"
            );
            kernel.hand_over(0);
        }
        assert!(!kernel.owns_next(), "the ring is full");
        for sequence in round * 3..round * 3 + 3 {
            let block = ring.take().unwrap();
            assert_content(&block, sequence);
            assert!(
                !kernel.owns_next() || sequence > round * 3,
                "still with the reader"
            );
            drop(block);
            assert!(kernel.owns_next());
        }
        assert!(ring.take().is_none(), "the reader is ahead");
    }
}

/// Nothing but the bit that says so makes a block the reader's.
#[test]
fn a_block_whose_status_has_other_bits_only_is_not_ready() {
    let (mut kernel, mut ring) = Kernel::with_ring("bwmon-bits", 2);
    let others = !libc::TP_STATUS_USER;
    kernel.status(0).store(others, Ordering::Release);
    assert!(!ring.is_ready() && ring.take().is_none());
    kernel
        .status(0)
        .store(libc::TP_STATUS_KERNEL, Ordering::Release);
    kernel.write(1);
    kernel.hand_over(others);
    assert!(ring.is_ready());
    drop(ring.take().unwrap());
    assert_eq!(
        kernel.status(0).load(Ordering::Acquire),
        libc::TP_STATUS_KERNEL
    );
}

/// Two threads and no lock: what was written before the status is there after it.
#[test]
fn blocks_come_whole_and_in_order_from_another_thread() {
    const BLOCKS: u32 = 2_000;
    let (mut kernel, mut ring) = Kernel::with_ring("bwmon-threads", 3);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let is_over = &is_over;
        let reader = scope.spawn(move || {
            let _over = OnDrop(is_over);
            let mut sequence = 0;
            let patience = Patience::new();
            while sequence < BLOCKS && !is_over.load(Ordering::Relaxed) {
                let Some(block) = ring.take() else {
                    patience.wait();
                    continue;
                };
                assert_content(&block, sequence);
                sequence += 1;
            }
            sequence
        });
        let _over = OnPanic(is_over);
        let mut sequence = 0;
        let patience = Patience::new();
        while sequence < BLOCKS && !is_over.load(Ordering::Relaxed) {
            if !kernel.owns_next() {
                patience.wait();
                continue;
            }
            kernel.write(sequence);
            kernel.hand_over(BESIDE[sequence as usize % BESIDE.len()]);
            sequence += 1;
        }
        assert_eq!(reader.join().unwrap(), BLOCKS);
    });
}

/// Ends a wait that would never end, much later than any that does.
struct Patience(Instant);

impl Patience {
    fn new() -> Self {
        Self(Instant::now() + Duration::from_secs(60))
    }

    fn wait(&self) {
        assert!(Instant::now() < self.0, "both sides wait for each other");
        thread::yield_now();
    }
}

/// Says that a side is gone, so that the other one does not wait for it.
struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The same, unless it ended well.
struct OnPanic<'a>(&'a AtomicBool);

impl Drop for OnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods)]
fn a_dropped_ring_leaves_no_mapping_and_no_descriptor() {
    const NAME: &str = "bwmon-dropped";
    let mappings = || {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        maps.lines().filter(|line| line.contains(NAME)).count()
    };
    let descriptors = || {
        std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .filter(|target| target.to_string_lossy().contains(NAME))
            .count()
    };
    let geometry = geometry(4);
    let mut ring = Ring::over(memory_file(NAME, geometry), geometry).unwrap();
    assert_eq!((mappings(), descriptors()), (1, 1));
    assert!(ring.take().is_none());
    drop(ring);
    assert_eq!((mappings(), descriptors()), (0, 0));
}

fn code<T: std::fmt::Debug>(result: io::Result<T>) -> Option<i32> {
    result.unwrap_err().raw_os_error()
}

#[test]
fn memory_that_the_kernel_does_not_map_is_an_error() {
    let socket = OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap());
    assert_eq!(code(Memory::map(&socket, geometry(2))), Some(libc::ENODEV));
    let file = memory_file("bwmon-empty", geometry(1));
    assert_eq!(code(Memory::map(&file, geometry(0))), Some(libc::EINVAL));
    assert_eq!(code(Ring::over(socket, geometry(2))), Some(libc::ENODEV));
}

#[test]
fn a_socket_of_another_family_has_no_ring_no_counts_and_takes_no_interface() {
    let socket = || OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap());
    assert!(code(ask_for_ring(&socket(), geometry(2))).is_some());
    let geometry = geometry(1);
    let ring = Ring {
        socket: socket(),
        memory: Memory::map(&memory_file("bwmon-udp", geometry), geometry).unwrap(),
        geometry,
        next: 0,
    };
    assert!(code(ring.take_counts()).is_some());
    assert!(code(ring.bind(1)).is_some());
    assert_eq!(ring.as_fd().as_raw_fd(), ring.socket.as_raw_fd());
}

#[test]
fn the_error_that_waits_at_a_socket_is_taken_once() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(gone.local_addr().unwrap()).unwrap();
    drop(gone);
    let geometry = geometry(1);
    let memory = Memory::map(&memory_file("bwmon-error", geometry), geometry).unwrap();
    socket.send(b"nobody is there").unwrap();
    let ring = Ring {
        socket: socket.into(),
        memory,
        geometry,
        next: 0,
    };
    let error = ring.take_error().unwrap().unwrap();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
    assert!(ring.take_error().unwrap().is_none());

    let file = memory_file("bwmon-no-socket", geometry);
    let ring = Ring::over(file, geometry).unwrap();
    assert_eq!(code(ring.take_error()), Some(libc::ENOTSOCK));
}

#[test]
fn options_are_set_and_read_and_refusals_say_why() {
    let socket = OwnedFd::from(UdpSocket::bind("127.0.0.1:0").unwrap());
    let (level, name) = (libc::SOL_SOCKET, libc::SO_KEEPALIVE);
    for wanted in [1, 0] {
        let mut found: c_int = -1;
        set_option(&socket, level, name, &wanted).unwrap();
        option(&socket, level, name, &mut found).unwrap();
        assert_eq!(found, wanted);
    }
    let mut unread: c_int = 7;
    let refused = set_option(&socket, level, -1, &1);
    assert_eq!(code(refused), Some(libc::ENOPROTOOPT));
    let refused = option(&socket, level, -1, &mut unread);
    assert_eq!(code(refused), Some(libc::ENOPROTOOPT));
    let file = memory_file("bwmon-option", geometry(1));
    assert_eq!(
        code(set_option(&file, level, name, &1)),
        Some(libc::ENOTSOCK)
    );
    let refused = option(&file, level, name, &mut unread);
    assert_eq!((code(refused), unread), (Some(libc::ENOTSOCK), 7));
}

#[test]
fn without_the_capability_the_socket_is_refused() {
    let opened = thread::spawn(|| {
        // Capabilities belong to a thread, and this one ends with the test.
        let mut sets = rustix::thread::capabilities(None).unwrap();
        sets.effective = rustix::thread::CapabilitySet::empty();
        rustix::thread::set_capabilities(None, sets).unwrap();
        Ring::open(geometry(2))
    });
    match opened.join().unwrap() {
        Err(OpenError::Socket(error)) => {
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_request_counts_frames_of_2_kib_and_refuses_what_has_no_room_in_it() {
    let fine = Geometry {
        block_bytes: 1 << 20,
        blocks: 8,
        retire_ms: 40,
    };
    let asked = request(fine).unwrap();
    assert_eq!((asked.tp_block_size, asked.tp_block_nr), (1 << 20, 8));
    assert_eq!((asked.tp_frame_size, asked.tp_frame_nr), (2_048, 4_096));
    assert_eq!(asked.tp_retire_blk_tov, 40);
    let huge = Geometry {
        block_bytes: 1 << 32,
        ..fine
    };
    assert_eq!(
        request(huge).unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
    assert_eq!(
        short(65_536).unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
    assert_eq!(short(-1).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(short(0xffff).unwrap(), 0xffff);
    assert!(page_bytes().is_power_of_two());
}
