//! Puts pictures, styles and the layouts of the screens into the program (GResource).

fn main() {
    glib_build_tools::compile_resources(&["."], "resources.xml", "blanche-kiosk.gresource");
}
