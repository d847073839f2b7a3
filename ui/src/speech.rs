//! The voice: what is spoken, in which language. What it says comes from the model alone.

use std::sync::{Arc, Mutex, PoisonError};

/// Somebody who speaks. It never waits: whoever is slow or not there costs a person the voice, and nobody the screen.
pub trait Voice {
    /// Says a text in a language (ISO 639). `interrupt`: at once; otherwise after what is being said.
    fn say(&mut self, text: &str, language: &str, interrupt: bool);

    /// Is silent at once.
    fn stop(&mut self);

    /// How loud, in percent.
    fn set_volume(&mut self, percent: u8);
}

impl Voice for Box<dyn Voice> {
    fn say(&mut self, text: &str, language: &str, interrupt: bool) {
        (**self).say(text, language, interrupt);
    }

    fn stop(&mut self) {
        (**self).stop();
    }

    fn set_volume(&mut self, percent: u8) {
        (**self).set_volume(percent);
    }
}

/// A voice that nobody hears, where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mute;

impl Voice for Mute {
    fn say(&mut self, _: &str, _: &str, _: bool) {}

    fn stop(&mut self) {}

    fn set_volume(&mut self, _: u8) {}
}

/// One thing that was asked of a voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uttered {
    /// A text, its language, and whether it interrupted.
    Said(String, String, bool),
    /// Silence.
    Stopped,
    /// A volume in percent.
    Volume(u8),
}

/// A voice that writes down what it is asked to say.
#[derive(Clone, Debug, Default)]
pub struct Transcript(Arc<Mutex<Vec<Uttered>>>);

impl Transcript {
    /// What was asked since this was last called.
    #[must_use]
    pub fn take(&self) -> Vec<Uttered> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, uttered: Uttered) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(uttered);
    }
}

impl Voice for Transcript {
    fn say(&mut self, text: &str, language: &str, interrupt: bool) {
        self.push(Uttered::Said(text.to_owned(), language.to_owned(), interrupt));
    }

    fn stop(&mut self) {
        self.push(Uttered::Stopped);
    }

    fn set_volume(&mut self, percent: u8) {
        self.push(Uttered::Volume(percent));
    }
}

/// Decides when something is said: a topic once, again when somebody asks, nothing while the voice is off.
#[derive(Debug)]
pub struct Speaker<V> {
    voice: V,
    on: bool,
    volume: u8,
    topic: String,
    aside: String,
    last: Option<(String, String)>,
}

/// What a speaker is told whenever the screen changed.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The voice is on.
    pub on: bool,
    /// In percent.
    pub volume: u8,
    /// What it is about.
    pub topic: &'a str,
    /// The whole text.
    pub text: &'a str,
    /// Its language.
    pub language: &'a str,
    /// Whether it interrupts.
    pub interrupts: bool,
    /// What is said besides; empty when nothing is.
    pub aside: &'a str,
}

impl<V: Voice> Speaker<V> {
    /// A speaker who has said nothing.
    pub fn new(voice: V) -> Self {
        Self { voice, on: false, volume: 0, topic: String::new(), aside: String::new(), last: None }
    }

    /// The screen may have changed.
    pub fn tell(&mut self, told: &Told<'_>) {
        if self.on != told.on {
            self.on = told.on;
            // Whoever turns it on hears where they are.
            self.topic.clear();
            if !told.on {
                self.voice.stop();
            }
        }
        if self.on && self.volume != told.volume {
            self.volume = told.volume;
            self.voice.set_volume(told.volume);
        }
        let topic = format!("{} {}", told.language, told.topic);
        // Nothing to say yet: what was said last stays.
        let fresh = self.topic != topic && !told.text.is_empty();
        if fresh {
            self.topic = topic;
            self.last = Some((told.text.to_owned(), told.language.to_owned()));
            if self.on {
                self.voice.say(told.text, told.language, told.interrupts);
            }
        }
        if self.aside != told.aside {
            told.aside.clone_into(&mut self.aside);
            if self.on && !told.aside.is_empty() {
                // Behind a page that was only just begun; instead of what somebody heard for a while.
                self.voice.say(told.aside, told.language, !fresh);
            }
        }
    }

    /// Something that has the focus now: whoever moves on has heard enough of what is being said.
    pub fn focus(&mut self, name: &str, language: &str) {
        if self.on && !name.is_empty() {
            self.voice.say(name, language, true);
        }
    }

    /// Says the last topic again.
    pub fn repeat(&mut self) {
        if let Some((text, language)) = self.last.as_ref().filter(|_| self.on) {
            self.voice.say(text, language, true);
        }
    }

    /// Says again what was said besides.
    pub fn remind(&mut self) {
        if let Some((_, language)) = self.last.as_ref().filter(|_| self.on && !self.aside.is_empty()) {
            self.voice.say(&self.aside, language, true);
        }
    }

    /// Is silent.
    pub fn hush(&mut self) {
        self.voice.stop();
    }

    /// Somebody did something of which nothing is said: whoever acts has heard enough of what is being said.
    pub fn interrupt(&mut self) {
        if self.on {
            self.voice.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(on: bool, topic: &'a str, text: &'a str) -> Told<'a> {
        Told { on, volume: 70, topic, text, language: "fr", interrupts: true, aside: "" }
    }

    fn said(text: &str) -> Uttered {
        Uttered::Said(text.to_owned(), "fr".to_owned(), true)
    }

    #[test]
    fn a_topic_is_said_once_and_again_when_somebody_asks() {
        let transcript = Transcript::default();
        let mut speaker = Speaker::new(transcript.clone());
        speaker.tell(&told(true, "a", "un"));
        speaker.tell(&told(true, "a", "un peu plus"));
        assert_eq!(transcript.take(), [Uttered::Volume(70), said("un")]);
        speaker.repeat();
        assert_eq!(transcript.take(), [said("un")]);
        speaker.tell(&told(true, "b", "deux"));
        speaker.hush();
        assert_eq!(transcript.take(), [said("deux"), Uttered::Stopped]);
    }

    #[test]
    fn what_is_said_besides_is_said_once_and_is_not_what_is_repeated() {
        let transcript = Transcript::default();
        let mut speaker = Speaker::new(transcript.clone());
        speaker.tell(&told(true, "a", "un"));
        speaker.tell(&Told { aside: "Volume : 80 %", ..told(true, "a", "un") });
        speaker.tell(&Told { aside: "Volume : 80 %", ..told(true, "a", "un") });
        speaker.tell(&told(true, "a", "un"));
        assert_eq!(transcript.take(), [Uttered::Volume(70), said("un"), said("Volume : 80 %")]);
        speaker.repeat();
        assert_eq!(transcript.take(), [said("un")]);
        speaker.remind();
        assert_eq!(transcript.take(), []);
        speaker.tell(&Told { aside: "Volume : 80 %", ..told(true, "a", "un") });
        speaker.remind();
        assert_eq!(transcript.take(), [said("Volume : 80 %"), said("Volume : 80 %")]);
        speaker.tell(&Told { aside: "Imprimé", ..told(true, "b", "deux") });
        let behind = Uttered::Said("Imprimé".to_owned(), "fr".to_owned(), false);
        assert_eq!(transcript.take(), [said("deux"), behind]);
    }

    #[test]
    fn whoever_acts_silences_a_voice_that_is_on() {
        let transcript = Transcript::default();
        let mut speaker = Speaker::new(transcript.clone());
        speaker.interrupt();
        assert_eq!(transcript.take(), [], "nobody speaks");
        speaker.tell(&told(true, "a", "un"));
        speaker.interrupt();
        assert_eq!(transcript.take(), [Uttered::Volume(70), said("un"), Uttered::Stopped]);
        speaker.repeat();
        assert_eq!(transcript.take(), [said("un")]);
    }

    #[test]
    fn a_voice_that_is_off_says_nothing_and_begins_with_where_one_is() {
        let transcript = Transcript::default();
        let mut speaker = Speaker::new(transcript.clone());
        speaker.tell(&told(false, "a", "un"));
        speaker.focus("Aide", "fr");
        speaker.repeat();
        assert_eq!(transcript.take(), []);
        speaker.tell(&told(true, "a", "un"));
        assert_eq!(transcript.take(), [Uttered::Volume(70), said("un")]);
        speaker.tell(&told(false, "a", "un"));
        assert_eq!(transcript.take(), [Uttered::Stopped]);
    }
}
