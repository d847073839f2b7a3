//! Lines of text in a box. Labels are changed and not made again: a reader for the blind would hear them as new.

use gtk::pango;
use gtk::prelude::*;

/// Shows `lines` in `holder`, one label each.
pub fn fill(holder: &gtk::Box, lines: &[String]) {
    let mut next = holder.first_child();
    for line in lines {
        match next.take().and_downcast::<gtk::Label>() {
            Some(label) => {
                next = label.next_sibling();
                if label.text() != *line {
                    label.set_text(line);
                }
            }
            None => holder.append(&label(line)),
        }
    }
    while let Some(more) = next {
        next = more.next_sibling();
        holder.remove(&more);
    }
    holder.set_visible(!lines.is_empty());
}

/// A label that breaks its lines and never cuts a word off. A long name gets no hyphen where it goes on in the next line: it would look as
/// if it had one.
#[must_use]
pub fn label(text: &str) -> gtk::Label {
    let attributes = pango::AttrList::new();
    attributes.insert(pango::AttrInt::new_insert_hyphens(false));
    let label = gtk::Label::builder().label(text).wrap(true).wrap_mode(pango::WrapMode::WordChar).xalign(0.0);
    label.attributes(&attributes).build()
}
