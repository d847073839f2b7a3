//! A machine that umockdev pretends (libumockdev 0.17): devices that libudev and sysfs show to this process only.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

#[link(name = "umockdev")]
unsafe extern "C" {
    fn umockdev_testbed_new() -> *mut c_void;
    fn umockdev_testbed_add_devicev(
        testbed: *mut c_void,
        subsystem: *const c_char,
        name: *const c_char,
        parent: *const c_char,
        attributes: *mut *mut c_char,
        properties: *mut *mut c_char,
    ) -> *mut c_char;
    fn umockdev_testbed_set_attribute(
        testbed: *mut c_void,
        device: *const c_char,
        name: *const c_char,
        value: *const c_char,
    );
    fn umockdev_testbed_set_attribute_binary(
        testbed: *mut c_void,
        device: *const c_char,
        name: *const c_char,
        value: *mut u8,
        length: c_int,
    );
    fn umockdev_testbed_set_attribute_link(
        testbed: *mut c_void,
        device: *const c_char,
        name: *const c_char,
        value: *const c_char,
    );
    fn umockdev_testbed_set_property(
        testbed: *mut c_void,
        device: *const c_char,
        name: *const c_char,
        value: *const c_char,
    );
    fn umockdev_testbed_remove_device(testbed: *mut c_void, device: *const c_char);
    fn umockdev_testbed_uevent(testbed: *mut c_void, device: *const c_char, action: *const c_char);
}

#[link(name = "gobject-2.0")]
unsafe extern "C" {
    fn g_object_unref(object: *mut c_void);
}

#[link(name = "glib-2.0")]
unsafe extern "C" {
    fn g_free(memory: *mut c_void);
}

/// A pretended machine. There is one at a time in a process.
pub(crate) struct Testbed(*mut c_void);

/// Pairs of names and values.
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

impl Testbed {
    pub(crate) fn new() -> Self {
        // SAFETY: takes nothing, and gives a new object, which `drop` gives back.
        Self(unsafe { umockdev_testbed_new() })
    }

    /// Adds a device and says so (`add`). Gives its place in sysfs.
    pub(crate) fn add(
        &self,
        subsystem: &str,
        name: &str,
        parent: Option<&str>,
        attributes: Pairs,
        properties: Pairs,
    ) -> String {
        let (subsystem, name) = (text(subsystem), text(name));
        let parent = parent.map(text);
        let (attributes, properties) = (Strings::new(attributes), Strings::new(properties));
        let parent = parent.as_ref().map_or(ptr::null(), |parent| parent.as_ptr());
        // SAFETY: the object is alive; every string ends with NUL and outlives the call, and so do both arrays, which end
        // with NULL and are only read.
        let place = unsafe {
            umockdev_testbed_add_devicev(
                self.0,
                subsystem.as_ptr(),
                name.as_ptr(),
                parent,
                attributes.pointers.as_ptr().cast_mut(),
                properties.pointers.as_ptr().cast_mut(),
            )
        };
        assert!(!place.is_null(), "umockdev did not add {name:?}");
        // SAFETY: a new string that ends with NUL; it is copied before it is freed, as its owner must.
        unsafe {
            let copy = std::ffi::CStr::from_ptr(place).to_str().unwrap().to_owned();
            g_free(place.cast());
            copy
        }
    }

    pub(crate) fn set(&self, device: &str, name: &str, value: &str) {
        let (device, name, value) = (text(device), text(name), text(value));
        // SAFETY: the object is alive; the strings end with NUL and outlive the call.
        unsafe { umockdev_testbed_set_attribute(self.0, device.as_ptr(), name.as_ptr(), value.as_ptr()) }
    }

    pub(crate) fn set_link(&self, device: &str, name: &str, target: &str) {
        let (device, name, target) = (text(device), text(name), text(target));
        // SAFETY: as `set`.
        unsafe { umockdev_testbed_set_attribute_link(self.0, device.as_ptr(), name.as_ptr(), target.as_ptr()) }
    }

    /// Removes a device without a word.
    pub(crate) fn vanish(device: &str) {
        let root = std::env::var("UMOCKDEV_DIR").expect("umockdev is loaded");
        std::fs::remove_dir_all(format!("{root}{device}")).unwrap();
    }

    pub(crate) fn set_bytes(&self, device: &str, name: &str, value: &[u8]) {
        let (device, name, mut value) = (text(device), text(name), value.to_owned());
        let length = c_int::try_from(value.len()).unwrap();
        // SAFETY: as `set`; the bytes are `length` long.
        unsafe {
            umockdev_testbed_set_attribute_binary(self.0, device.as_ptr(), name.as_ptr(), value.as_mut_ptr(), length);
        }
    }

    pub(crate) fn set_property(&self, device: &str, name: &str, value: &str) {
        let (device, name, value) = (text(device), text(name), text(value));
        // SAFETY: as `set`.
        unsafe { umockdev_testbed_set_property(self.0, device.as_ptr(), name.as_ptr(), value.as_ptr()) }
    }

    /// Removes a device and says so (`remove`).
    pub(crate) fn remove(&self, device: &str) {
        let device = text(device);
        // SAFETY: as `set`.
        unsafe { umockdev_testbed_remove_device(self.0, device.as_ptr()) }
    }

    pub(crate) fn event(&self, device: &str, action: &str) {
        let (device, action) = (text(device), text(action));
        // SAFETY: as `set`.
        unsafe { umockdev_testbed_uevent(self.0, device.as_ptr(), action.as_ptr()) }
    }
}

impl Drop for Testbed {
    fn drop(&mut self) {
        // SAFETY: the only reference to the object, which nothing uses any more.
        unsafe { g_object_unref(self.0) }
    }
}

fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

/// A NULL-terminated array of names and values, in turn.
struct Strings {
    pointers: Vec<*mut c_char>,
    _owners: Vec<CString>,
}

impl Strings {
    fn new(pairs: Pairs) -> Self {
        let owners: Vec<CString> = pairs.iter().flat_map(|(name, value)| [text(name), text(value)]).collect();
        let pointers = owners.iter().map(|owner| owner.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect();
        Self { pointers, _owners: owners }
    }
}
