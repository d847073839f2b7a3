//! The kiosk, which also answers questions: for each line on standard input one line of JSON on standard output. It is the same program
//! otherwise; the one that is shipped cannot be asked.
//!
//! | question | answer |
//! |---|---|
//! | `widgets` | the visible widgets from the outside in, and how large each is |
//! | `texts` | every text and name that any widget holds, visible or not |
//! | `frames` | microseconds of processor that each frame took since this was last asked, from input to picture |

use blanche_kiosk::app::{Arguments, run};
use clap::Parser;
use gtk::glib;
use gtk::prelude::*;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    std::thread::spawn(|| {
        for question in io::stdin().lock().lines().map_while(Result::ok) {
            glib::MainContext::default().invoke(move || {
                let answer = match question.as_str() {
                    "texts" => texts(),
                    "frames" => frames(),
                    _ => widgets(),
                };
                let mut out = io::stdout().lock();
                // Who asked may be gone.
                let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
            });
        }
    });
    run(Arguments::parse())
}

fn widgets() -> Value {
    let mut found = Vec::new();
    for window in gtk::Window::list_toplevels() {
        measure(&window, None, &window, &mut found);
    }
    Value::Array(found)
}

/// Letters of the longest word that a screen must hold on one line; longer are names that media give themselves.
const LONGEST: usize = 20;

/// Whether a word goes on in the next line.
fn is_torn(label: &gtk::Label) -> bool {
    let (text, lines) = (label.text(), label.layout().lines_readonly());
    let starts = lines.iter().skip(1).filter_map(|line| usize::try_from(line.start_index()).ok());
    starts.filter_map(|start| text.split_at_checked(start)).any(|(before, after)| {
        let is_part = |letter: &char| letter.is_alphanumeric();
        let begun = before.chars().rev().take_while(is_part).count();
        let rest = after.chars().take_while(is_part).count();
        let whole = [before.split_whitespace().last(), after.split_whitespace().next()].map(Option::unwrap_or_default);
        begun > 0 && rest > 0 && begun + rest <= LONGEST && !is_name(&whole.concat())
    })
}

/// Whether something between two spaces is a path, a number or a name, which may go on anywhere, and not a word of a sentence.
fn is_name(whole: &str) -> bool {
    let inside = whole.trim_end_matches(['.', ',', ';', ':', '!', '?', '…']);
    inside.contains(|letter: char| letter.is_numeric() || "/\\._".contains(letter))
}

/// A widget, and what is in it. `view`: what scrolls it, if anything does.
fn measure(widget: &gtk::Widget, view: Option<usize>, window: &gtk::Widget, found: &mut Vec<Value>) {
    if !widget.is_mapped() {
        return;
    }
    let bounds = widget.compute_bounds(window);
    let rectangle = bounds.map(|bounds| [bounds.x(), bounds.y(), bounds.width(), bounds.height()]);
    // With padding and border, as what is measured; `width` is without.
    let (width, height) = (widget.allocated_width(), widget.allocated_height());
    let (least_width, natural_width, ..) = widget.measure(gtk::Orientation::Horizontal, -1);
    let (least_height, natural_height, ..) = widget.measure(gtk::Orientation::Vertical, width.max(least_width));
    let label = widget.downcast_ref::<gtk::Label>();
    let number = found.len();
    found.push(json!({
        "number": number,
        "type": widget.type_().name(),
        "name": widget.widget_name().as_str(),
        "id": identifier(widget),
        "inside": widget.parent().map(|parent| identifier(&parent)),
        "parent": widget.parent().map(|parent| parent.type_().name().to_owned()),
        "view": view,
        "bounds": rectangle,
        "allocated": [width, height],
        "least": [least_width, least_height],
        "natural": [natural_width, natural_height],
        "text": label.map(|label| label.text().to_string()),
        "cut": label.is_some_and(|label| label.layout().is_ellipsized()),
        "torn": label.is_some_and(is_torn),
        "siblings": widget.parent().map(|parent| format!("{:p}", parent.as_ptr())),
    }));
    let view = if widget.is::<gtk::Viewport>() || widget.is::<gtk::ListView>() { Some(number) } else { view };
    for child in children(widget) {
        measure(&child, view, window, found);
    }
}

/// As its layout (NAME.ui) calls it.
fn identifier(widget: &gtk::Widget) -> Option<String> {
    widget.buildable_id().map(|id| id.to_string())
}

fn children(widget: &gtk::Widget) -> impl Iterator<Item = gtk::Widget> {
    std::iter::successors(widget.first_child(), WidgetExt::next_sibling)
}

fn texts() -> Value {
    fn gather(widget: &gtk::Widget, found: &mut Vec<String>) {
        found.push(widget.widget_name().to_string());
        found.extend(widget.downcast_ref::<gtk::Label>().map(|label| label.text().to_string()));
        children(widget).for_each(|child| gather(&child, found));
    }
    let mut found = Vec::new();
    for window in gtk::Window::list_toplevels() {
        found.extend(window.downcast_ref::<gtk::Window>().and_then(GtkWindowExt::title).map(|title| title.to_string()));
        gather(&window, &mut found);
    }
    json!(found)
}

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    static BEGUN: Cell<Option<u64>> = const { Cell::new(None) };
    static FRAMES: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The first question begins to measure (GdkFrameClock, "before-paint" and "after-paint").
fn frames() -> Value {
    if !LISTENING.get() {
        let windows = gtk::Window::list_toplevels();
        for clock in windows.iter().filter_map(WidgetExt::frame_clock) {
            LISTENING.set(true);
            clock.connect_before_paint(|_| BEGUN.set(processor()));
            clock.connect_after_paint(|_| {
                if let Some((begun, ended)) = BEGUN.take().zip(processor()) {
                    FRAMES.with_borrow_mut(|frames| frames.push(ended.saturating_sub(begun) / 1000));
                }
            });
        }
    }
    json!(FRAMES.take())
}

/// Nanoseconds of processor that this thread has had (Documentation/scheduler/sched-stats.rst): what a frame costs, whatever else the machine
/// does meanwhile.
fn processor() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
