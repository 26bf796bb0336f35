//! Model patterns: reading one, and a model number against it. The first line is the pattern, every
//! other a number.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::product::Selector;
use tocsin_core::product::pattern::ModelPattern;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let Ok(pattern) = ModelPattern::parse(lines.next().unwrap_or_default()) else {
        return;
    };
    let written = pattern.to_string();
    assert_eq!(ModelPattern::parse(&written), Ok(pattern.clone()));
    let selector = Selector::ModelPattern(written)
        .canonical()
        .expect("it was parsed");
    for line in lines {
        let model = Selector::Model(line.to_owned()).canonical();
        let matches = model
            .as_ref()
            .is_ok_and(|model| pattern.matches(&model.to_string()));
        assert_eq!(selector.matches_model(line), matches, "{line:?}");
    }
});
