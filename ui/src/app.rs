//! The program: its arguments, and how it starts.

use crate::catalog::Languages;
use crate::config::Config;
use crate::controller::Controller;
use crate::keeper;
use crate::link::{Heard, Link};
use crate::model::Event;
use crate::voice;
use blanche_bus::Bus;
use clap::Parser;
use gtk::gio;
use gtk::glib;
use gtk::prelude::*;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;

/// Further languages, where the package puts them.
const WORDS: &str = "/usr/share/blanche-kiosk/po";
/// What was heard and not shown yet: a station tells faster than a screen draws, and then waits.
const WAITING: usize = 256;

/// The screen that a person meets at a station.
#[derive(Debug, Parser)]
#[command(name = "blanche-kiosk", version)]
pub struct Arguments {
    /// Bus of the station: system, session or an address
    #[arg(long, value_name = "BUS", default_value = "system")]
    pub bus: Bus,
    /// Configuration [default: /etc/blanche/kiosk.toml, which may be absent]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Language at the start, instead of the first of the configuration
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<String>,
    /// In a window that can be closed: for demonstrations
    #[arg(long)]
    pub windowed: bool,
    /// Starts again in the same session when it crashes, hangs or cannot begin: for the unit of the kiosk
    #[arg(long)]
    pub keep: bool,
    /// Gives signs of life to its keeper
    #[arg(long, hide = true)]
    pub kept: bool,
}

/// Runs a kiosk until its display or its window goes away.
#[must_use]
pub fn run(arguments: Arguments) -> ExitCode {
    let ended = if arguments.keep { keeper::keep().map(ExitCode::from).map_err(Into::into) } else { start(arguments) };
    match ended {
        Ok(code) => code,
        Err(error) => {
            // Nobody listens on standard error: there is nobody to tell that either.
            crate::account::say(&format!("blanche-kiosk: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    keeper::crash_as_a_whole();
    let config = Config::read(arguments.config.as_deref())?;
    let languages = languages(&config, arguments.lang.as_deref())?;
    gtk::init().map_err(|error| format!("{error}; is there a display (WAYLAND_DISPLAY)?"))?;
    gio::resources_register_include!("blanche-kiosk.gresource")?;
    calm();
    let application = gtk::Application::builder()
        .application_id("org.blanche.Kiosk")
        .flags(gio::ApplicationFlags::NON_UNIQUE)
        .build();
    if arguments.kept {
        keeper::beat();
    }
    let settings = (arguments.bus, arguments.windowed);
    let failed = Rc::new(Cell::new(false));
    let failing = Rc::clone(&failed);
    application.connect_activate(move |application| {
        let (sender, heard) = async_channel::bounded(WAITING);
        match Link::start(settings.0.clone(), sender) {
            Ok(link) => {
                headsets(link.teller());
                show(application, &config, &languages, link, heard, settings.1);
            }
            Err(error) => {
                crate::account::say(&format!("blanche-kiosk: {error}"));
                failing.set(true);
                application.quit();
            }
        }
    });
    // Arguments are ours, not those of GApplication.
    let code = application.run_with_args::<&str>(&[]);
    Ok(if code == glib::ExitCode::SUCCESS && !failed.get() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn calm() {
    if let Some(settings) = gtk::Settings::default() {
        // Nothing but the voice makes a sound (EN 301 549 V3.2.1, 5.1.3.10).
        settings.set_gtk_error_bell(false);
        // Nothing moves but the bar: the theme of GTK fades what its style sheet changes.
        settings.set_gtk_enable_animations(false);
    }
}

/// Whoever plugs a headset in wants to listen.
fn headsets(tell: async_channel::Sender<Heard>) {
    let told = move |is_in| {
        // A window that is gone listens to nobody.
        let _ = tell.send_blocking(Heard::Event(Box::new(Event::Headset(is_in))));
    };
    if let Err(error) = blanche_speech::headset::watch(told) {
        crate::account::say(&format!("blanche-kiosk: the jack of a headset: {error}; F2 starts the voice"));
    }
}

fn languages(config: &Config, first: Option<&str>) -> Result<Languages, Box<dyn std::error::Error>> {
    let folder = config.words.as_deref().unwrap_or(Path::new(WORDS));
    let unknown = |name: String| format!("no language “{name}”; add {name}.po to {}", folder.display());
    let languages = Languages::with_folder(folder)?.only(&config.languages).map_err(unknown)?;
    let Some(first) = first else { return Ok(languages) };
    let others = languages.iter().map(|known| known.language().to_owned()).filter(|known| known != first);
    let order: Vec<String> = std::iter::once(first.to_owned()).chain(others).collect();
    Ok(languages.only(&order).map_err(unknown)?)
}

fn show(
    application: &gtk::Application,
    config: &Config,
    languages: &Languages,
    link: Link,
    heard: async_channel::Receiver<Heard>,
    windowed: bool,
) {
    let controller = Controller::new(application, config.clone(), languages.clone(), link, voice::voice());
    let window = controller.window();
    if !windowed {
        window.set_decorated(false);
        window.fullscreen();
        // Only its session ends a kiosk.
        window.connect_close_request(|_| glib::Propagation::Stop);
    }
    controller.begin(heard);
    window.present();
}
