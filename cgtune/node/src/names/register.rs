//! Names of pods and containers for many cgroups, gathered once.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use cgtune_core::text::Escaped;
use cgtune_sys::HostRoot;
use serde::{Deserialize, Serialize};

use super::{
    heard::{self, Heard, Unseated},
    logs,
    path::components,
    resident::{Container, Kind, Pod, Resident, Source},
    runtime::Runtime,
    socket::Socket,
    state::States,
    told::{TellingPod, Told},
    valid,
};

/// How far to go for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The one socket to ask, as reached from here. `None`: those of the usual ones that the node has.
    pub socket: Option<Socket>,
    /// When sockets are asked.
    pub sockets: When,
    /// How long all sockets together may take to answer; they are asked at once.
    pub limit: Duration,
}

/// When sockets are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Never: files alone.
    Never,
    /// When files have left a pod or one of its containers without a name.
    Needed,
    /// In any case, also for containers in groups whose paths do not say so.
    Always,
}

impl Default for Ask {
    /// The usual sockets, when needed, for two seconds: a runtime answers in some milliseconds, or it hangs.
    fn default() -> Self {
        Self { socket: None, sockets: When::Needed, limit: Duration::from_secs(2) }
    }
}

/// How a source answered. A source that was not asked has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which source.
    pub source: Source,
    /// Which folder, file or socket; safe to show.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of asking a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// It told of so many pods or containers, of this node's groups or of others.
    Told(usize),
    /// It is not there.
    Absent,
    /// It could not be asked, or did not answer; why, safe to show.
    Failed(String),
}

/// The names of pods and containers of one node, at one moment.
///
/// Filled once for many paths and then asked for each of them; a path that was not among them is answered as far as the
/// same sources happen to know. It holds no descriptor, and nothing is asked later but on [`Register::update`].
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// By UID.
    pods: HashMap<String, (TellingPod, Source)>,
    /// By id.
    containers: HashMap<String, (Told, Source)>,
    unseated: Vec<Unseated>,
    answers: Vec<Answer>,
    /// For which UIDs and ids sockets were asked in vain.
    asked: HashSet<String>,
}

/// What is to be found out about one container.
struct Wanted {
    runtime: Runtime,
    /// The pod that its path names.
    uid: Option<String>,
    /// It may be no container at all: a group in a pod's that bears no id of the usual form.
    doubtful: bool,
}

impl Wanted {
    /// Whether a CRI socket could tell of it.
    fn is_for_sockets(&self) -> bool {
        let theirs = self.uid.is_some() || !matches!(self.runtime, Runtime::Docker | Runtime::Podman);
        theirs && !self.doubtful
    }
}

/// What the paths leave open.
struct Open {
    pods: HashSet<String>,
    containers: HashMap<String, Wanted>,
}

impl Open {
    fn of(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Self {
        let mut open = Self { pods: HashSet::new(), containers: HashMap::new() };
        for path in paths {
            let found = Resident::of(path.as_ref());
            let uid = found.pod.and_then(|pod| pod.uid);
            open.pods.extend(uid.clone());
            let (id, runtime, doubtful) = match found.container {
                Some(container) => (container.id, container.runtime, false),
                None => match (found.kind, leaf(path.as_ref())) {
                    (Kind::Inside, Some(leaf)) => (leaf.to_owned(), Runtime::Containerd, true),
                    _ => continue,
                },
            };
            open.containers.entry(id).or_insert(Wanted { runtime, uid, doubtful });
        }
        open
    }
}

/// A path's last component, where it could be an id that somebody chose.
fn leaf(path: &Path) -> Option<&str> {
    components(path).pop().filter(|leaf| valid::plain(leaf))
}

impl Register {
    /// Gathers what is known of whoever lives in the given groups; where none of them is a pod's or a container's, nothing is
    /// read at all. A source that cannot be asked is no error: [`Register::answers`] says so.
    #[must_use]
    pub fn read(host: &HostRoot, paths: impl IntoIterator<Item = impl AsRef<Path>>, ask: &Ask) -> Self {
        let mut register = Self::default();
        register.update(host, paths, ask);
        register
    }

    /// The same for a later moment, at the cost of what is new: names that are known are kept, those of groups that have gone
    /// are forgotten, and a socket is not asked again for what it did not tell.
    pub fn update(&mut self, host: &HostRoot, paths: impl IntoIterator<Item = impl AsRef<Path>>, ask: &Ask) {
        let open = Open::of(paths);
        self.containers.retain(|id, _| open.containers.contains_key(id));
        self.pods.retain(|uid, _| open.pods.contains(uid));
        self.unseated.clear();
        self.answers.clear();
        if !self.lacking(&open, |_| true).is_empty() {
            self.read_logs(host, &open);
            self.read_states(host, &open);
        }
        // What may be no container at all is worth a look at files, and no socket.
        let lacking = self.lacking(&open, Wanted::is_for_sockets);
        let needed = match ask.sockets {
            When::Never => false,
            When::Needed => !lacking.is_subset(&self.asked),
            When::Always => true,
        };
        if needed {
            self.ask_sockets(host, &open, ask);
            self.asked = self.lacking(&open, Wanted::is_for_sockets);
        } else {
            self.asked.retain(|known| lacking.contains(known));
        }
    }

    /// Who lives in a group.
    #[must_use]
    pub fn resident(&self, path: &Path) -> Resident {
        let mut found = Resident::of(path);
        if found.container.is_none()
            && matches!(found.kind, Kind::Inside | Kind::Plain)
            && let Some((id, _)) = leaf(path).and_then(|leaf| self.containers.get_key_value(leaf))
        {
            // An id that somebody chose, as `ctr run` lets them.
            found.kind = Kind::Container;
            let runtime = Runtime::Containerd;
            found.container = Some(Container { id: id.clone(), name: None, runtime, source: Source::Path });
        }
        self.name(found)
    }

    /// The container of that id as its runtime knows it, whichever group it is in.
    pub(crate) fn seat(&self, path: &Path, id: &str) -> Resident {
        let found = Resident::of(path);
        let runtime = found.container.as_ref().map_or(Runtime::Unknown, |container| container.runtime);
        let container = Container { id: id.to_owned(), name: None, runtime, source: Source::Path };
        self.name(Resident { kind: Kind::Container, container: Some(container), unit: None, ..found })
    }

    fn name(&self, mut found: Resident) -> Resident {
        let known = found.container.as_ref().and_then(|container| self.containers.get(&container.id));
        if let (Some(container), Some((told, source))) = (&mut found.container, known) {
            if told.sandbox && found.kind == Kind::Container {
                found.kind = Kind::Sandbox;
            }
            if told.sandbox || told.name.is_some() {
                container.name.clone_from(&told.name);
                container.source = *source;
            }
            if found.pod.is_none()
                && let Some(pod) = &told.pod
            {
                found.pod = Some(Pod {
                    uid: pod.uid.clone(),
                    namespace: Some(pod.namespace.clone()),
                    name: Some(pod.name.clone()),
                    qos: None,
                    astray: true,
                    source: *source,
                });
            }
        }
        if let Some(pod) = &mut found.pod
            && let Some((told, source)) = pod.uid.as_ref().and_then(|uid| self.pods.get(uid))
        {
            pod.namespace = Some(told.namespace.clone());
            pod.name = Some(told.name.clone());
            pod.source = *source;
        }
        found
    }

    /// How each source answered that was asked last, in the order of asking.
    #[must_use]
    pub fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// The answers that are failures.
    pub fn failures(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|answer| matches!(answer.outcome, Outcome::Failed(_)))
    }

    /// Containers that run in groups whose paths do not bear their ids.
    pub(crate) fn unseated(&self) -> &[Unseated] {
        &self.unseated
    }

    fn read_logs(&mut self, host: &HostRoot, open: &Open) {
        let pods = logs::pods(host).map(|pods| {
            let ours = |pod: &TellingPod| pod.uid.as_ref().is_some_and(|uid| open.pods.contains(uid));
            let pods: Vec<_> = pods.into_iter().filter(ours).collect();
            let told = pods.len();
            pods.into_iter().for_each(|pod| self.learn_pod(pod, Source::PodLogs));
            told
        });
        self.answered(Source::PodLogs, host.join("/var/log/pods"), pods);
        let containers = logs::containers(host).map(|containers| {
            let ours = containers.into_iter().filter(|told| open.containers.contains_key(&told.id));
            ours.map(|told| self.learn(told, Source::ContainerLogs, open)).count()
        });
        self.answered(Source::ContainerLogs, host.join("/var/log/containers"), containers);
    }

    fn read_states(&mut self, host: &HostRoot, open: &Open) {
        let lacking: Vec<_> =
            open.containers.iter().filter(|(id, want)| !self.answers_for(id, want)).collect();
        if lacking.is_empty() {
            return;
        }
        let mut states = States::on(host);
        for (id, want) in lacking {
            if let Some((told, source)) = states.ask(id, want.runtime) {
                self.learn(told, source, open);
            }
        }
        for source in [Source::ContainerdState, Source::CrioState, Source::DockerState] {
            if let Some(&told) = states.told.get(&source) {
                let outcome = Outcome::Told(told);
                self.answers.push(Answer { source, place: source.name().to_owned(), outcome });
            }
        }
        for (source, place, error) in states.failures {
            self.answered(source, place, Err(error));
        }
    }

    fn answered(&mut self, source: Source, place: PathBuf, told: io::Result<usize>) {
        let outcome = match told {
            Ok(told) => Outcome::Told(told),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Outcome::Absent,
            Err(error) => Outcome::Failed(Escaped(error.to_string().as_bytes()).to_string()),
        };
        let place = Escaped(place.as_os_str().as_encoded_bytes()).to_string();
        self.answers.push(Answer { source, place, outcome });
    }

    /// Earlier sources win; later ones fill what is open.
    fn learn(&mut self, told: Told, source: Source, open: &Open) {
        let by_path = open.containers.get(&told.id).and_then(|want| want.uid.as_deref());
        // Labels can be anybody's; the path is the kernel's. Where they name different pods, the label's is not believed.
        let contradicted =
            |pod: &TellingPod| by_path.zip(pod.uid.as_deref()).is_some_and(|(path, label)| path != label);
        let pod = told.pod.clone().filter(|pod| !contradicted(pod));
        if let Some(pod) = &pod
            && let Some(uid) = pod.uid.as_deref().or(by_path)
        {
            self.learn_pod(TellingPod { uid: Some(uid.to_owned()), ..pod.clone() }, source);
        }
        let told = Told { pod, ..told };
        match self.containers.get_mut(&told.id) {
            Some((known, from)) if known.name.is_none() && !known.sandbox => {
                let pod = known.pod.take().or(told.pod.clone());
                (*known, *from) = (Told { pod, ..told }, source);
            }
            Some(_) => {}
            None if told.says_something() => drop(self.containers.insert(told.id.clone(), (told, source))),
            None => {}
        }
    }

    fn learn_pod(&mut self, pod: TellingPod, source: Source) {
        if let Some(uid) = pod.uid.clone() {
            self.pods.entry(uid).or_insert((pod, source));
        }
    }

    /// Whether nothing is open about a container any more.
    fn answers_for(&self, id: &str, want: &Wanted) -> bool {
        let container = self.containers.get(id).is_some_and(|(told, _)| told.sandbox || told.name.is_some());
        container && want.uid.as_ref().is_none_or(|uid| self.pods.contains_key(uid))
    }

    /// UIDs and ids of which something is open, among the containers that are worth it.
    fn lacking(&self, open: &Open, worth: impl Fn(&Wanted) -> bool) -> HashSet<String> {
        let pods = open.pods.iter().filter(|uid| !self.pods.contains_key(*uid));
        let containers =
            open.containers.iter().filter(|(id, want)| worth(want) && !self.answers_for(id, want));
        pods.chain(containers.map(|(id, _)| id)).cloned().collect()
    }

    fn ask_sockets(&mut self, host: &HostRoot, open: &Open, ask: &Ask) {
        for heard in heard::on(host, || self.hear(host, open, ask)) {
            heard.told.into_iter().for_each(|(told, source)| self.learn(told, source, open));
            self.unseated.extend(heard.unseated);
            self.answers.extend(heard.answers);
        }
    }

    #[cfg(feature = "cri")]
    fn hear(&self, host: &HostRoot, open: &Open, ask: &Ask) -> Vec<Heard> {
        let sockets = match &ask.socket {
            Some(socket) => vec![socket.clone()],
            None => Socket::usual(host),
        };
        let lacking = open.containers.iter().filter(|(id, want)| !self.answers_for(id, want));
        let question = super::cri::Question {
            lacking: lacking.map(|(id, _)| id.clone()).collect(),
            seated: (ask.sockets == When::Always).then(|| open.containers.keys().cloned().collect()),
        };
        super::cri::ask(sockets, &question, ask.limit)
    }

    #[cfg(not(feature = "cri"))]
    fn hear(&self, host: &HostRoot, _: &Open, ask: &Ask) -> Vec<Heard> {
        let sockets = ask.socket.clone().map_or_else(|| Socket::usual(host), |socket| vec![socket]);
        let answer = |socket: Socket| {
            let outcome = Outcome::Failed("this build cannot ask sockets (feature cri)".to_owned());
            Answer { source: Source::Cri, place: socket.to_string(), outcome }
        };
        let answers = sockets.into_iter().map(answer).collect();
        vec![Heard { answers, ..Heard::default() }]
    }
}
