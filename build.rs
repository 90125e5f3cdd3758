//! `embed_migrations!` reads the folders when it expands and cannot tell cargo about new files; this does.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
