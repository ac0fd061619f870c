//! The report as a page: its structure, what it does with text of others, and with records that lack something.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use cgbench::{
    chart,
    plan::{Condition, PolicyKind, QuotaRule},
    record::{BackendKind, FrameTable, Missed, Records, SampleTable},
    report::html::{self, Run},
    study,
};
use proptest::prelude::*;

fn page(records: &Records) -> String {
    html::page(records, &study::summarise(records))
}

fn run(name: &str, records: Records) -> Run {
    let summary = study::summarise(&records);
    Run { name: name.into(), records, summary }
}

/// Limits in a row over one load, as `cgbench agree` measures them.
fn sweep() -> Vec<Run> {
    let of = |headroom: f64| {
        let mut records = toy::records(1, 220);
        records.plan.limit.quota = QuotaRule::OfNeed { headroom };
        run(&format!("q{headroom}"), records)
    };
    [1.02, 1.08, 1.3].map(of).into()
}

/// Names of the elements that are open at each place must close in order; what is void never does.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let (inside, _) = tag.split_once('>').unwrap();
        let name = inside.split([' ', '/']).next().unwrap();
        if let Some(closed) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "closed out of order: {}", &tag[..tag.len().min(80)]);
        } else if !inside.ends_with('/') && !["meta", "!doctype"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

fn assert_sound(page: &str) {
    assert_well_formed(page);
    assert_eq!(page.matches("<h1>").count(), 1);
    assert!(
        !page.contains("<script")
            && !page.contains("src=")
            && !page.contains("@import")
            && !page.contains("url(")
    );
    let outside = page.match_indices("href=\"").find(|(at, _)| !page[at + 6..].starts_with('#'));
    assert_eq!(outside, None, "a link to outside");
    assert!(page.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src &#39;none&#39;;"));
    for landmark in ["<header>", "<main>", "<footer>", "<nav aria-label="] {
        assert_eq!(page.matches(landmark).count(), 1, "{landmark}");
    }
    // Each picture says in words what it shows, each table has a caption, each figure too.
    let charts = page.matches("<svg ").count();
    assert_eq!(page.matches("<title id=").count(), charts);
    assert_eq!(page.matches("<desc id=").count(), charts);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count());
    assert_eq!(page.matches("<figure").count(), page.matches("<figcaption>").count());
    let mut ids: Vec<&str> =
        page.match_indices(" id=\"").map(|(at, _)| page[at + 5..].split('"').next().unwrap()).collect();
    for target in page.match_indices("href=\"#").map(|(at, _)| page[at + 7..].split('"').next().unwrap()) {
        assert!(ids.contains(&target), "a link to nowhere: {target}");
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id twice");
}

#[test]
fn a_page_is_sound_and_has_everything_in_it() {
    let records = toy::records(6, 300);
    let page = page(&records);
    assert_sound(&page);
    for name in chart::NAMES {
        assert_eq!(page.matches(&format!("<figure id=\"{name}\">")).count(), 1, "{name}");
    }
    let verdict = page.find("A CPU limit that is used to").unwrap();
    let table = page.find("<table").unwrap();
    let charts = page.find("<figure").unwrap();
    assert!(verdict < table && table < charts, "the verdict first, then the table, then the charts");
    assert!(!page.contains("http:") && !page.contains("https:"));
}

#[test]
fn every_colour_of_a_chart_has_a_rule_for_light_and_for_dark() {
    let page = page(&toy::records(6, 300));
    let (light, dark) = page.split_once("@media screen and (prefers-color-scheme:dark){.i").unwrap();
    let classes = page.match_indices(" i").map(|(at, _)| &page[at + 1..]).filter_map(|rest| {
        let class = rest.get(..7)?;
        class[1..].bytes().all(|b| b.is_ascii_hexdigit()).then_some(class)
    });
    for class in classes {
        let rule = format!("{}{{color:", &class[1..]);
        assert!(light.contains(&rule) && dark.contains(&rule), "{class}");
    }
}

#[test]
fn what_others_wrote_is_shown_and_never_obeyed() {
    const NASTY: &str = "</p></style><script>alert(1)</script>\" onload='x' \u{202e}\u{0}\u{1b}[2J&amp;";
    let mut records = toy::without_pinning(toy::records(1, 40));
    records.plan.name = NASTY.into();
    records.machine.kernel = NASTY.into();
    records.machine.cpu_model = Some(NASTY.into());
    records.machine.hypervisor = Some(NASTY.into());
    records.run.command = vec![NASTY.into()];
    records.run.version = NASTY.into();
    records.run.started = format!("{NASTY}T");
    for missed in &mut records.run.missed {
        missed.reason = NASTY.into();
    }
    for page in [page(&records), html::several(&[run(NASTY, records.clone()), run("b", records)])] {
        assert_sound(&page);
        assert!(page.contains("&lt;script&gt;alert(1)"));
        let unsafe_char = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!page.contains(unsafe_char), "control characters and marks that reorder");
        assert!(page.contains("\\xe2\\x80\\xae") && page.contains("\\x1b[2J"));
    }
}

#[test]
fn records_that_lack_something_make_a_page_that_says_so() {
    let full = toy::records(2, 60);
    let mut nothing = full.clone();
    nothing.blocks.clear();
    assert!(page(&nothing).contains("Nothing has been measured."));
    let mut no_samples = full.clone();
    let mut no_counters = full.clone();
    let mut no_frames = full.clone();
    for block in &mut no_samples.blocks {
        block.samples = SampleTable::default();
    }
    for block in &mut no_counters.blocks {
        (block.interval.bandwidth, block.interval.usage, block.disturbance) = (None, None, None);
        block.observed = Default::default();
    }
    for block in &mut no_frames.blocks {
        block.frames = FrameTable::default();
    }
    let mut partial = toy::records(6, 40);
    partial.blocks.truncate(13);
    assert!(page(&partial).contains("PARTIAL: 13 of 60 blocks"));
    let mut one = full.clone();
    one.blocks.truncate(1);
    let mut no_plan = full.clone();
    no_plan.blocks.clear();
    no_plan.plan.conditions.clear();
    let missing = toy::without_pinning(full.clone());
    assert!(page(&missing).contains("no cpuset controller in reach"));
    let mut simulated = full;
    simulated.run.backend = BackendKind::Simulated;
    assert!(page(&simulated).contains("<h1>SIMULATED: "));
    for records in [nothing, no_samples, no_counters, no_frames, partial, one, no_plan, missing, simulated] {
        assert_sound(&page(&records));
    }
}

#[test]
fn a_page_over_several_runs_has_the_sweep_first_and_a_section_each() {
    let page = html::several(&sweep());
    assert_sound(&page);
    let sweep = page.find("<figure id=\"sweep\">").unwrap();
    for (place, name) in ["q1.02", "q1.08", "q1.3"].into_iter().enumerate() {
        let section = page.find(&format!("<section id=\"run-{place}\"")).unwrap();
        assert!(sweep < section, "{name}");
        assert!(page.contains(&format!("<a href=\"#run-{place}\">{name}</a>")));
    }
}

#[test]
fn the_sweep_has_a_dot_a_policy_and_run_in_the_policies_colours() {
    let runs = sweep();
    let pairs: Vec<_> = runs.iter().map(|run| (&run.records, &run.summary)).collect();
    let scene = chart::sweep(&pairs, cgtune_chart::Format::Wide).unwrap();
    let texts: Vec<&str> = scene.texts().map(|text| text.text.as_str()).collect();
    for name in ["limit", "limit+burst", "pinned+limit"] {
        assert_eq!(texts.iter().filter(|text| **text == name).count(), 2, "{name} in both panels");
    }
    assert!(chart::sweep(&pairs[..2], cgtune_chart::Format::Wide).is_none(), "two limits are no curve");
}

#[test]
fn runs_that_have_no_curve_still_make_a_page() {
    let page = html::several(&[
        run("one", toy::records(1, 20)),
        run("two", toy::without_pinning(toy::records(1, 20))),
    ]);
    assert_sound(&page);
    assert!(page.contains("No load was measured under three limits"));
    assert_sound(&html::several(&[]));
}

#[test]
fn long_blocks_do_not_make_a_long_page() {
    let short = page(&toy::records(5, 300)).len();
    let long = page(&toy::records(5, 4_000)).len();
    assert!(long < 2_000_000 && long < 3 * short, "{short} and {long} bytes");
}

#[test]
fn a_slow_frame_among_thousands_is_in_the_heat_map() {
    let mut records = toy::records(1, 4_000);
    let quick = Condition { neighbour: false, policy: PolicyKind::LimitBurst };
    let texts = |records: &Records| -> Vec<String> {
        let scene = chart::heatmap(records, &study::summarise(records));
        scene.texts().map(|text| text.text.clone()).collect()
    };
    let before = texts(&records);
    let block = records.blocks.iter_mut().find(|block| block.condition == quick).unwrap();
    block.frames.end_ns[2_000] += 5_000_000_000;
    let after = texts(&records);
    let all = "late in 1 of 134 seconds";
    assert!(!before.iter().any(|text| text == all || text == "1000"), "{before:?}");
    assert!(after.iter().any(|text| text == all), "it is counted: {after:?}");
    assert!(after.iter().any(|text| text == "1000"), "the scale reaches it: {after:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_others_breaks_the_page(text in any::<String>(), reason in "[<>\"'&*`\\[\\]a-z\u{202e}\u{200f} ]{0,40}") {
        let mut records = toy::records(1, 21);
        records.machine.kernel = text.clone();
        records.plan.name = reason.clone();
        records.run.command = vec![text.clone(), reason.clone()];
        records.run.missed = records.plan.conditions.iter().map(|&condition| Missed { condition, reason: reason.clone() }).collect();
        records.blocks.truncate(3);
        assert_sound(&page(&records));
    }
}
