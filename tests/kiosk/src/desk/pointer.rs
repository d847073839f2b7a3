//! A pointer that nobody holds: a client of the display that says it is one (wlr-virtual-pointer-unstable-v1). A seat without a pointer tells
//! its windows nothing of what is pressed.

use super::Size;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_pointer::ButtonState;
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};
use wayland_protocols_wlr::virtual_pointer::v1::client::zwlr_virtual_pointer_manager_v1::ZwlrVirtualPointerManagerV1;
use wayland_protocols_wlr::virtual_pointer::v1::client::zwlr_virtual_pointer_v1::ZwlrVirtualPointerV1;

/// `BTN_LEFT` (linux/input-event-codes.h).
const FIRST: u32 = 0x110;

/// What a pointer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// Goes there, in pixels from the top left.
    At(usize, usize),
    /// Presses its first button.
    Press,
    /// Releases it.
    Release,
}

#[derive(Debug)]
pub(super) struct Hand {
    queue: EventQueue<Nothing>,
    pointer: ZwlrVirtualPointerV1,
    size: Size,
    start: Instant,
}

/// Nobody tells a virtual pointer anything.
#[derive(Debug)]
struct Nothing;

impl Dispatch<WlRegistry, GlobalListContents> for Nothing {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Nothing: ignore WlSeat);
delegate_noop!(Nothing: ignore ZwlrVirtualPointerManagerV1);
delegate_noop!(Nothing: ignore ZwlrVirtualPointerV1);

impl Hand {
    /// A pointer on the display with that socket.
    pub(super) fn on(socket: &Path, size: Size) -> Self {
        let stream = UnixStream::connect(socket).expect("the display listens");
        let connection = Connection::from_socket(stream).expect("a display");
        let (globals, mut queue) = registry_queue_init::<Nothing>(&connection).expect("a display");
        let handle = queue.handle();
        let manager: ZwlrVirtualPointerManagerV1 =
            globals.bind(&handle, 1..=2, ()).expect("sway knows virtual pointers");
        let pointer = manager.create_virtual_pointer(None, &handle, ());
        queue.roundtrip(&mut Nothing).expect("a display");
        Self { queue, pointer, size, start: Instant::now() }
    }

    pub(super) fn does(&mut self, what: Pointer) {
        let time = u32::try_from(self.start.elapsed().as_millis()).unwrap_or(u32::MAX);
        let number = |length: usize| u32::try_from(length).expect("a place on a screen");
        match what {
            Pointer::At(x, y) => {
                let (width, height) = (number(self.size.width), number(self.size.height));
                self.pointer.motion_absolute(time, number(x), number(y), width, height);
            }
            Pointer::Press => self.pointer.button(time, FIRST, ButtonState::Pressed),
            Pointer::Release => self.pointer.button(time, FIRST, ButtonState::Released),
        }
        self.pointer.frame();
        assert!(self.pointer.is_alive());
        self.queue.roundtrip(&mut Nothing).expect("a display");
    }
}
