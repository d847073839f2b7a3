//! Colours and sizes: the style sheets of a theme, and one font size that everything follows.

use crate::config::ScreenConfig;
use crate::model::choices::Choices;
use crate::model::screen::Colours;
use crate::typography;
use crate::window::KioskWindow;
use gtk::gdk;
use gtk::pango;
use gtk::prelude::*;

const SHAPES: &str = include_str!("../style/kiosk.css");
const LIGHT: &str = include_str!("../style/light.css");
const DARK: &str = include_str!("../style/dark.css");
const HIGH_CONTRAST: &str = include_str!("../style/high-contrast.css");

/// Letters are measured at this size: pixels.
const MEASURED: i32 = 1000;

/// See the module.
#[derive(Debug)]
pub struct Style {
    provider: gtk::CssProvider,
}

impl Style {
    /// A style for the display of a window.
    #[must_use]
    pub fn new(window: &KioskWindow) -> Self {
        let provider = gtk::CssProvider::new();
        let display = WidgetExt::display(window);
        gtk::style_context_add_provider_for_display(&display, &provider, gtk::STYLE_PROVIDER_PRIORITY_USER);
        Self { provider }
    }

    /// Gives a window the colours and letters that were chosen; the size of the letters in pixels.
    pub fn apply(&self, window: &KioskWindow, screen: &ScreenConfig, choices: &Choices) -> f64 {
        let colours = match choices.colours {
            Colours::Light => LIGHT,
            Colours::Dark => DARK,
            Colours::HighContrast => HIGH_CONTRAST,
        };
        let (pixels, millimetres) = width(window);
        let millimetres = screen.width.map_or(millimetres, f64::from);
        let density = typography::density(pixels, millimetres);
        let size = typography::size(f64::from(screen.distance), density, ratio(window), choices.letters);
        self.provider.load_from_data(&format!("{colours}{SHAPES}window.kiosk {{ font-size: {size}px; }}"));
        size
    }
}

/// The width of the screen of a window in pixels and, as it says itself, in millimetres.
fn width(window: &KioskWindow) -> (f64, f64) {
    let display = WidgetExt::display(window);
    let on = window.surface().and_then(|surface| display.monitor_at_surface(&surface));
    let monitor = on.or_else(|| display.monitors().item(0).and_downcast::<gdk::Monitor>());
    monitor.map_or((0.0, 0.0), |monitor| (monitor.geometry().width().into(), monitor.width_mm().into()))
}

/// How much of its size a capital H of the font has.
fn ratio(window: &KioskWindow) -> f64 {
    let mut font = pango::FontDescription::from_string("sans-serif");
    font.set_absolute_size(f64::from(MEASURED) * f64::from(pango::SCALE));
    let layout = window.create_pango_layout(Some("H"));
    layout.set_font_description(Some(&font));
    let (ink, _) = layout.pixel_extents();
    f64::from(ink.height()) / f64::from(MEASURED)
}
