//! Pages that people see in a browser or on paper: what stands where, of data that others read. Their templates are in
//! templates/ and compiled in; each extends page.html, which brings the style and forbids everything else. Pure.
//!
//! The engine escapes whatever it puts into a template, so that text is text whatever it says. One thing is put in as it is:
//! the style, which is ours.

pub mod figure;
pub mod invoice;
pub mod party;
pub mod when;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// The style that all pages share.
pub const STYLE: &str = include_str!("../../templates/page.css");

/// What a browser may load or run for a page: that style, known by its hash, and nothing else.
pub fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
    });
    &POLICY
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All templates.
    const TEMPLATES: [&str; 2] =
        [include_str!("../../templates/page.html"), include_str!("../../templates/invoice.html")];

    #[test]
    fn templates_put_nothing_in_unescaped_and_bring_nothing_else() {
        for template in TEMPLATES {
            for (at, _) in template.match_indices("safe") {
                assert!(template[..at].ends_with("crate::pages::STYLE|"), "{}", &template[at.saturating_sub(30)..]);
            }
            for refused in
                ["<script", "style=", "src=", "<link", "<img", "<iframe", "<form", "http:", "https:", "|escape"]
            {
                assert!(!template.contains(refused), "{refused}");
            }
            // An attribute without quotes would end with a blank.
            assert!(!template.contains("={{"));
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !STYLE.contains('<'));
    }
}
