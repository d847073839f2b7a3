//! The voice of a kiosk for people who do not see its screen: sentences go to speech-dispatcher, which speaks them with a
//! synthesiser in the language of the screen; the jack of a headset tells when somebody wants to listen.
//!
//! Nobody waits for speech: [`Speaker`] has a thread of its own, and a dispatcher that is missing, hangs or dies costs sentences,
//! never the screen.

#![forbid(unsafe_code)]

mod address;
pub mod headset;
mod speaker;

pub use speaker::Speaker;
