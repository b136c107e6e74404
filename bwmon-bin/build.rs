//! Embeds the page anew when it was built anew. Only release builds embed it: others read it when
//! they start, and a missing folder must not rebuild them each time.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../frontend/dist");
    }
}
