//! What runtimes said over their sockets, as plain data: so it goes onto a tape and comes back from it.

use cgtune_core::text::Escaped;
use cgtune_sys::HostRoot;
use serde::{Deserialize, Serialize};

use super::{
    register::{Answer, Outcome},
    resident::Source,
    told::Told,
    valid,
};

/// Which question it is on a tape: all sockets are asked at once, wherever they are.
const SOCKETS: &str = "/run";

/// What one socket said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    pub(super) told: Vec<(Told, Source)>,
    pub(super) unseated: Vec<Unseated>,
    pub(super) answers: Vec<Answer>,
}

/// A container that runs in a group whose path does not bear its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unseated {
    pub(crate) id: String,
    /// Its first process, as its runtime's answer has it.
    pub(crate) pid: u32,
}

/// What is heard on a node now, `live`; or what was heard, on one that is no more.
pub(super) fn on(host: &HostRoot, live: impl FnOnce() -> Vec<Heard>) -> Vec<Heard> {
    let Ok(bytes) = host.ask(SOCKETS, || Ok(serde_json::to_vec(&live())?)) else { return Vec::new() };
    match serde_json::from_slice::<Vec<Heard>>(&bytes) {
        Ok(heard) => heard.into_iter().map(Heard::believed).collect(),
        Err(error) => {
            let outcome = Outcome::Failed(Escaped(error.to_string().as_bytes()).to_string());
            let answer = Answer { source: Source::Cri, place: "what sockets said".to_owned(), outcome };
            vec![Heard { answers: vec![answer], ..Heard::default() }]
        }
    }
}

impl Heard {
    /// Without what cannot be: a tape may come from anywhere.
    fn believed(mut self) -> Self {
        let shown = |text: &str| Escaped(text.as_bytes()).to_string();
        self.told.retain(|(told, _)| told.is_valid());
        self.unseated.retain(|unseated| valid::plain(&unseated.id));
        for answer in &mut self.answers {
            answer.place = shown(&answer.place);
            if let Outcome::Failed(why) = &mut answer.outcome {
                *why = shown(why);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use cgtune_sys::tape::{Answer as Said, Event};

    use super::*;
    use crate::names::told::TellingPod;

    fn heard() -> Vec<Heard> {
        let pod = TellingPod { uid: Some("u-1".into()), namespace: "prod".into(), name: "web.v2".into() };
        let told = Told { id: "c1".into(), name: Some("app".into()), sandbox: false, pod: Some(pod) };
        let answer = |source, outcome| Answer { source, place: "/run/a.sock".into(), outcome };
        vec![Heard {
            told: vec![(told, Source::Cri)],
            unseated: vec![Unseated { id: "c2".into(), pid: 77 }],
            answers: vec![
                answer(Source::Cri, Outcome::Told(1)),
                answer(Source::Containerd, Outcome::Failed("no answer within 2 s".into())),
            ],
        }]
    }

    #[test]
    fn what_was_heard_is_heard_again_and_nobody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path()).recorded(1 << 20);
        assert_eq!(on(&host, heard), heard());
        let played = HostRoot::played(folder.path(), host.take_tape().unwrap());
        assert_eq!(on(&played, || panic!("there is no node to ask")), heard());
        // Nor where nobody was asked then.
        let silent = HostRoot::played(folder.path(), host.take_tape().unwrap());
        assert_eq!(on(&silent, || panic!("there is no node to ask")), []);
    }

    #[test]
    fn a_tape_of_anybodys_is_not_believed_all() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path()).recorded(1 << 20);
        on(&host, heard);
        let recorded = host.take_tape().unwrap();
        let played = |said: &str| {
            let mut recorded = recorded.clone();
            for event in &mut recorded.events {
                if let Event::Asked { answer, .. } = event {
                    *answer = Some(Said::Bytes(said.into()));
                }
            }
            on(&HostRoot::played(folder.path(), recorded), Vec::new)
        };
        let mut odd = heard();
        odd[0].told[0].0.name = Some("\x1b[2J".into());
        odd[0].unseated[0].id = "../x".into();
        odd[0].answers[0].place = "\x1b[2J".into();
        let found = played(&serde_json::to_string(&odd).unwrap());
        assert_eq!((&found[0].told, &found[0].unseated), (&vec![], &vec![]));
        assert_eq!(found[0].answers[0].place, "\\x1b[2J");
        assert!(matches!(played("[1")[0].answers[0].outcome, Outcome::Failed(_)));
    }
}
