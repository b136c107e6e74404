//! A filter judges without allocating.
//!
//! A file of its own: the counting allocator serves the whole test program.

// The allocator that counts.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use bwmon_core::filter::{Filter, Named};
use bwmon_core::testkit;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract; the
// count is a thread-local of constant initial value, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn judging_allocates_nothing() {
    let text = "not (host = ?eb-* and interface in (lo, e*0) and tcp port 443) or ip in (::/0, 10.0.0.0/8) \
                and remote.port != 1-2 or vlan in (none, 5) or version 6 or bytes.in > 1 GB or packets = 0";
    let filter: Filter = text.parse().expect("it is a filter");
    let interval = testkit::interval();
    let row = interval.flows.first().expect("the sample has a flow");
    let named = Named {
        subject: row,
        host: Some("web-01"),
        interface: None,
    };
    assert_eq!(
        allocations_of(|| {
            for _ in 0..1_000 {
                black_box(filter.matches(black_box(&named)));
            }
        }),
        0
    );
    assert!(
        allocations_of(|| drop(black_box(text.parse::<Filter>()))) > 0,
        "the counter counts nothing"
    );
}
