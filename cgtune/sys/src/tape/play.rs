//! Playing back. A tape may come from anywhere: whatever it holds, playing it ends and never panics.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use cgtune_core::Nanos;

use super::{Answer, Event, Question, Recorded, Verb};

/// What came one after the other, each in its moment.
#[derive(Debug)]
struct Track<T> {
    items: Vec<(usize, T)>,
    /// The first that has not been played.
    next: usize,
}

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next: 0 }
    }
}

impl<T> Track<T> {
    /// The next item of this moment. What the moments before have left over is passed by.
    fn next_in(&mut self, moment: usize) -> Option<&T> {
        while self.items.get(self.next).is_some_and(|(when, _)| *when < moment) {
            self.next += 1;
        }
        let (when, item) = self.items.get(self.next)?;
        if *when > moment {
            return None;
        }
        self.next += 1;
        Some(item)
    }

    /// The last one that was played or passed by, or else the first of all.
    fn last(&self) -> Option<&T> {
        self.items.get(self.next.saturating_sub(1)).map(|(_, item)| item)
    }
}

type Answers = Track<(Arc<Answer>, Nanos)>;

#[derive(Debug)]
pub(super) struct Playing {
    answers: HashMap<Verb, BTreeMap<PathBuf, Answers>>,
    clock: Track<Nanos>,
    moments: Vec<Nanos>,
    moment: usize,
    now: Nanos,
    suspended: Nanos,
}

impl Playing {
    pub(super) fn new(recorded: Recorded) -> Self {
        let mut tracks: Vec<Answers> = recorded.questions.iter().map(|_| Track::default()).collect();
        let mut clock = Track::default();
        let mut moments = Vec::new();
        for event in recorded.events {
            let moment = moments.len().saturating_sub(1);
            match event {
                Event::Moment(at) => moments.push(at),
                Event::Clock(at) => clock.items.push((moment, at)),
                Event::Asked { question, at, answer } => {
                    let Some(track) = tracks.get_mut(question as usize) else { continue };
                    let answer = match answer {
                        Some(answer) => Arc::new(answer),
                        None => match track.items.last() {
                            Some((_, (before, _))) => Arc::clone(before),
                            None => continue,
                        },
                    };
                    track.items.push((moment, (answer, at)));
                }
            }
        }
        let mut answers: HashMap<Verb, BTreeMap<PathBuf, Answers>> = HashMap::new();
        for (Question { verb, path }, track) in recorded.questions.into_iter().zip(tracks) {
            answers.entry(verb).or_default().insert(path, track);
        }
        let now = moments.first().copied().unwrap_or(Nanos::ZERO);
        Self { answers, clock, moments, moment: 0, now, suspended: recorded.suspended }
    }

    /// `None`: nobody ever asked.
    pub(super) fn ask(&mut self, question: &Question) -> Option<(Answer, Nanos)> {
        let track = self.answers.get_mut(&question.verb)?.get_mut(&question.path)?;
        let moment = self.moment;
        let (answer, at) = match track.next_in(moment) {
            Some((answer, at)) => (Answer::clone(answer), *at),
            None => track.last().map(|(answer, at)| (Answer::clone(answer), *at))?,
        };
        self.now = self.now.max(at);
        Some((answer, at))
    }

    pub(super) fn now(&self) -> Nanos {
        self.now
    }

    pub(super) fn suspended(&self) -> Nanos {
        self.suspended
    }

    pub(super) fn clock(&mut self) -> Nanos {
        if let Some(&now) = self.clock.next_in(self.moment) {
            self.now = self.now.max(now);
            return now;
        }
        self.now
    }

    /// To the first moment from an instant on; where there is none, to the last, and time goes on without it.
    pub(super) fn forward(&mut self, instant: Nanos) {
        let last = self.moments.len().saturating_sub(1);
        let after = self.moments.iter().skip(self.moment + 1).position(|&at| at >= instant);
        self.moment = after.map_or(last, |after| self.moment + 1 + after);
        let arrived = self.moments.get(self.moment).copied().unwrap_or(instant);
        self.now = self.now.max(arrived).max(instant);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn question(path: &str) -> Question {
        Question { verb: Verb::Read, path: path.into() }
    }

    fn asked(question: u32, at: u64, text: Option<&str>) -> Event {
        let answer = text.map(|text| Answer::Bytes(text.into()));
        Event::Asked { question, at: Nanos::new(at), answer }
    }

    fn moment(at: u64) -> Event {
        Event::Moment(Nanos::new(at))
    }

    fn heard(playing: &mut Playing, path: &str) -> Option<(String, u64)> {
        let (answer, at) = playing.ask(&question(path))?;
        match answer {
            Answer::Bytes(bytes) => Some((String::from_utf8(bytes).unwrap(), at.get())),
            Answer::Errno(errno) => Some((errno.to_string(), at.get())),
        }
    }

    fn tape() -> Playing {
        let events = vec![
            moment(10),
            asked(0, 11, Some("a")),
            asked(0, 12, None),
            asked(0, 13, Some("b")),
            moment(20),
            moment(30),
            Event::Clock(Nanos::new(31)),
            asked(0, 32, Some("c")),
            asked(1, 33, Some("x")),
        ];
        let questions = vec![question("/f"), question("/late")];
        Playing::new(Recorded { questions, events, ..Recorded::default() })
    }

    fn said(text: &str, at: u64) -> Option<(String, u64)> {
        Some((text.to_owned(), at))
    }

    #[test]
    fn whoever_asks_as_was_asked_then_gets_what_was_answered_then() {
        let mut playing = tape();
        assert_eq!(heard(&mut playing, "/f"), said("a", 11));
        assert_eq!(heard(&mut playing, "/f"), said("a", 12));
        assert_eq!(heard(&mut playing, "/f"), said("b", 13));
        playing.forward(Nanos::new(18));
        playing.forward(Nanos::new(29));
        assert_eq!(playing.clock().get(), 31);
        assert_eq!(heard(&mut playing, "/f"), said("c", 32));
        assert_eq!(heard(&mut playing, "/late"), said("x", 33));
    }

    #[test]
    fn whoever_asks_otherwise_gets_what_held_at_the_time() {
        let mut playing = tape();
        assert_eq!(heard(&mut playing, "/late"), said("x", 33), "never asked before: the first answer");
        let mut playing = tape();
        assert_eq!(heard(&mut playing, "/f"), said("a", 11));
        playing.forward(Nanos::new(15));
        assert_eq!(heard(&mut playing, "/f"), said("b", 13), "not asked in this moment");
        assert_eq!(heard(&mut playing, "/f"), said("b", 13));
        playing.forward(Nanos::new(1000));
        assert_eq!(heard(&mut playing, "/f"), said("c", 32), "from the last moment on");
        assert_eq!(heard(&mut playing, "/f"), said("c", 32));
        assert_eq!(playing.now().get(), 1000, "time goes on after the end");
        assert_eq!(heard(&mut playing, "/never"), None);
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let answer = prop_oneof![
            Just(None),
            any::<u8>().prop_map(|byte| Some(Answer::Bytes(vec![byte]))),
            any::<i32>().prop_map(|errno| Some(Answer::Errno(errno))),
        ];
        let event = prop_oneof![
            any::<u64>().prop_map(|at| Event::Moment(Nanos::new(at))),
            any::<u64>().prop_map(|at| Event::Clock(Nanos::new(at))),
            (0u32..4, any::<u64>(), answer).prop_map(|(question, at, answer)| Event::Asked {
                question,
                at: Nanos::new(at),
                answer
            }),
        ];
        proptest::collection::vec(event, 0..40)
    }

    proptest! {
        /// Any order of anything, times that run backwards, questions that are not in the list.
        #[test]
        fn any_tape_can_be_played(events in events(), steps in proptest::collection::vec((0u8..4, any::<u64>()), 0..60)) {
            let questions = vec![question("/0"), question("/1"), question("/1")];
            let mut playing = Playing::new(Recorded { questions, events, ..Recorded::default() });
            let mut before = playing.now();
            for (step, at) in steps {
                match step {
                    0 => playing.forward(Nanos::new(at)),
                    1 => { playing.clock(); }
                    n => { playing.ask(&Question { verb: Verb::Read, path: Path::new("/").join((n - 2).to_string()) }); }
                }
                prop_assert!(playing.now() >= before);
                before = playing.now();
            }
        }
    }
}
