//! The page in a real browser: Debian's Chromium, on this machine or fetched. It loads without a word on the console, nothing
//! reaches beyond its width on a desktop or a telephone, texts in charts stay legible, and the dark page is dark.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "../../cgtune/tests/debian/mod.rs"]
mod debian;
mod toy;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use cgbench::{plan::QuotaRule, report::html, study};
use serde_json::Value;

/// Names under which it is installed.
const NAMES: [&str; 4] = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"];

/// What is asked of the page once it stands: said as the page's only text, since no script may stay in it.
const PROBE: &str = "<script>addEventListener('load',()=>{\
    const shown=e=>e.getClientRects().length>0;\
    const texts=[...document.querySelectorAll('svg text')].filter(shown).map(t=>t.getBoundingClientRect().height);\
    const wide=[...document.querySelectorAll('body *')].filter(e=>shown(e)&&!e.closest('.scroll,pre,svg')&&e.getBoundingClientRect().right>innerWidth+1);\
    const seen={inner:innerWidth,scroll:document.documentElement.scrollWidth,smallest:Math.min(...texts),texts:texts.length,\
        wide:wide.map(e=>e.outerHTML.slice(0,80)),paper:getComputedStyle(document.documentElement).backgroundColor,\
        charts:[...document.querySelectorAll('svg')].filter(shown).length};\
    document.body.textContent='SEEN'+JSON.stringify(seen)+'END';});</script>";

struct Browser {
    program: PathBuf,
    /// Where its libraries are, if it is not installed.
    root: Option<PathBuf>,
    work: tempfile::TempDir,
}

#[derive(Clone, Copy, PartialEq)]
enum Scheme {
    Dark,
    Light,
}

impl Browser {
    fn find() -> Self {
        let work = tempfile::tempdir().unwrap();
        let path = env::var_os("PATH").unwrap_or_default();
        let installed =
            NAMES.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
        if let Some(program) = { installed }.find(|program| program.is_file()) {
            return Self { program, root: None, work };
        }
        let root = env::var_os("HOME").map(PathBuf::from).unwrap_or_else(|| "/root".into());
        let kept = root.join(".cache/cgtune-testbed/chromium/complete").exists();
        let packages = if kept { Vec::new() } else { debian::with_what_it_needs("chromium-headless-shell") };
        let root = debian::unpacked("chromium", &packages);
        let program = root.join("usr/lib/chromium/chromium-headless-shell");
        assert!(program.is_file(), "{} is gone: remove {} and try again", program.display(), root.display());
        Self { program, root: Some(root), work }
    }

    /// Its stdout and stderr for a page.
    fn open(&self, page: &Path, width: u32, scheme: Scheme, what: &str) -> (String, String) {
        let mut command = Command::new(&self.program);
        if let Some(root) = &self.root {
            command.env("LD_LIBRARY_PATH", env::join_paths(libraries(root)).unwrap());
        }
        // The font whose widths the charts were laid out with, and no other: the same picture on every machine.
        let fonts = self.work.path().join("fonts.conf");
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cgtune/chart/assets");
        let cache = self.work.path().join("fontconfig");
        let config = format!(
            "<fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>",
            assets.display(),
            cache.display()
        );
        fs::write(&fonts, format!("<?xml version=\"1.0\"?>{config}")).unwrap();
        command.env("FONTCONFIG_FILE", fonts).env("HOME", self.work.path());
        let scheme = if scheme == Scheme::Dark { 0 } else { 1 };
        let output = command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                "--enable-logging=stderr",
                "--timeout=20000",
            ])
            .arg(format!("--user-data-dir={}", self.work.path().join("profile").display()))
            .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
            .arg(format!("--window-size={width},4000"))
            .arg(what)
            .arg(format!("file://{}", page.display()))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{} does not run here ({}): {stderr}. Install it: apt-get install chromium-headless-shell",
            self.program.display(),
            output.status
        );
        (String::from_utf8_lossy(&output.stdout).into_owned(), stderr)
    }

    fn write(&self, name: &str, page: &str) -> PathBuf {
        let path = self.work.path().join(name);
        fs::write(&path, page).unwrap();
        path
    }

    /// What the probe sees in a page.
    fn probe(&self, page: &str, width: u32, scheme: Scheme) -> Value {
        let loose = page.replacen("default-src &#39;none&#39;", "script-src &#39;unsafe-inline&#39;", 1);
        let path = self.write("probe.html", &loose.replacen("</head>", &format!("{PROBE}</head>"), 1));
        let (dom, stderr) = self.open(&path, width, scheme, "--dump-dom");
        let seen = dom.split_once(">SEEN").and_then(|(_, rest)| rest.split_once("END<"));
        let (seen, _) = seen.unwrap_or_else(|| panic!("the page did not load: {stderr}"));
        serde_json::from_str(&seen.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")).unwrap()
    }

    /// What the page says on the console.
    fn console(&self, page: &str) -> Vec<String> {
        let path = self.write("console.html", page);
        let shot = self.work.path().join("console.png");
        let (_, stderr) = self.open(&path, 1280, Scheme::Light, &format!("--screenshot={}", shot.display()));
        assert!(fs::metadata(&shot).is_ok_and(|file| file.len() > 1_000), "no screenshot: {stderr}");
        stderr.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
    }
}

#[test]
fn a_browser_shows_the_page_wide_narrow_light_and_dark() {
    let browser = Browser::find();
    let records = toy::records(5, 300);
    let one = html::page(&records, &study::summarise(&records));
    let of = |headroom: f64| {
        let mut records = toy::records(1, 220);
        records.plan.limit.quota = QuotaRule::OfNeed { headroom };
        let summary = study::summarise(&records);
        html::Run { name: format!("a-run-with-a-long-name-of-a-folder-q{headroom}"), records, summary }
    };
    let several = html::several(&[1.02, 1.08, 1.3].map(of));

    for (page, charts) in [(&one, 5), (&several, 7)] {
        assert_eq!(browser.console(page), Vec::<String>::new(), "the console has nothing to say");
        for (width, scheme, paper) in [
            (1280, Scheme::Light, "rgb(255, 255, 255)"),
            (1280, Scheme::Dark, "rgb(19, 22, 27)"),
            (360, Scheme::Light, "rgb(255, 255, 255)"),
        ] {
            let seen = browser.probe(page, width, scheme);
            assert_eq!(seen["inner"], width, "{seen}");
            assert!(seen["scroll"].as_u64() <= seen["inner"].as_u64(), "the body overflows: {seen}");
            assert_eq!(seen["wide"], serde_json::json!([]), "beyond the page's width");
            assert_eq!(seen["paper"], paper);
            assert_eq!(seen["charts"], charts, "each chart once, in the format of the page");
            let smallest = seen["smallest"].as_f64().unwrap();
            assert!(smallest >= 11.0, "the line of a text in a chart is {smallest} px high");
        }
    }
    // The policy holds, and this test would see it: an image from elsewhere is refused, aloud.
    let asks = one.replacen(
        "<main>",
        "<main><img alt=\"\" src=\"https://example.invalid/x.png\"><script>1</script>",
        1,
    );
    let refused = browser.console(&asks);
    assert!(
        refused.len() >= 2 && refused.iter().all(|line| line.contains("Content Security Policy")),
        "{refused:?}"
    );
}

/// Where the libraries of unpacked packages lie. Some keep theirs in a folder of their own, and name it by the path that it would
/// have if they were installed: pulseaudio.
fn libraries(root: &Path) -> Vec<PathBuf> {
    let all = ["usr/lib", "lib"].map(|lib| root.join(lib).join(format!("{}-linux-gnu", env::consts::ARCH)));
    let mut found = Vec::new();
    for folder in all {
        let inside = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let own: Vec<PathBuf> = inside.filter(|path| path.is_dir()).collect();
        found.push(folder);
        found.extend(own);
    }
    found
}
