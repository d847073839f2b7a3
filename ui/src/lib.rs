//! The kiosk: the screen that a person meets at a station. A client of the station's D-Bus (docs/station.md), and nothing else: it
//! holds no medium, no key and no right of its own.
//!
//! [`model`] decides what is shown, without GTK; [`words`] and [`catalog`] say it in a language; [`link`] speaks to the station;
//! everything else puts it on the screen.

#![forbid(unsafe_code)]

pub mod account;
pub mod amounts;
pub mod app;
pub mod catalog;
pub mod config;
pub mod controller;
pub mod keeper;
pub mod keys;
pub mod link;
pub mod model;
pub mod parts;
pub mod pseudo;
pub mod receipt;
pub mod report;
pub mod screens;
pub mod scrolling;
pub mod speech;
pub mod style;
pub mod typography;
pub mod voice;
pub mod window;
pub mod words;
