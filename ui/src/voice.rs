//! The voice that people hear: speech-dispatcher, over the crate `blanche-speech`.

use crate::speech::{Mute, Voice};
use blanche_speech::Speaker;

/// See the module.
#[derive(Clone, Debug)]
pub struct Dispatcher(Speaker);

/// The voice of this session; nobody's where there can be none.
#[must_use]
pub fn voice() -> Box<dyn Voice> {
    match Speaker::start() {
        Ok(speaker) => Box::new(Dispatcher(speaker)),
        Err(_) => Box::new(Mute),
    }
}

impl Voice for Dispatcher {
    fn say(&mut self, text: &str, language: &str, interrupt: bool) {
        self.0.say(text, language, interrupt);
    }

    fn stop(&mut self) {
        self.0.stop();
    }

    fn set_volume(&mut self, percent: u8) {
        self.0.volume(on_the_scale_of_ssip(percent));
    }
}

/// SSIP counts from -100 to 100.
fn on_the_scale_of_ssip(percent: u8) -> i8 {
    let percent = i8::try_from(percent.min(100)).unwrap_or(100);
    // Twice a hundred does not fit.
    (percent - 50).saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::on_the_scale_of_ssip;

    #[test]
    fn percent_are_the_whole_scale_of_the_dispatcher() {
        assert_eq!([0, 10, 50, 70, 100, 255].map(on_the_scale_of_ssip), [-100, -80, 0, 40, 100, 100]);
    }
}
