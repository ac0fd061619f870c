//! A runtime's own answer, over its socket: the CRI's pods and containers, and containerd's containers for what the CRI does not list
//! (`ctr run`). Blocking to the outside and bounded in time; an answer is bounded in size. Nothing is changed by asking.
//!
//! The clients are generated from `proto/`; `tests/generated.rs` keeps them current.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use cgtune_core::text::Escaped;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::{net::UnixStream, task::JoinSet, time::Instant};
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    transport::{Channel, Endpoint, Uri},
};

use self::{
    containers::containers_client::ContainersClient,
    runtime::{ContainerState, runtime_service_client::RuntimeServiceClient},
};
use super::{
    heard::{Heard, Unseated},
    register::{Answer, Outcome},
    resident::Source,
    socket::Socket,
    told::{TellingPod, Told},
    valid,
};

#[allow(clippy::all, unreachable_pub, missing_docs, dead_code, reason = "generated from proto/runtime.proto")]
mod runtime {
    include!("cri/generated/runtime.v1.rs");
}

#[allow(
    clippy::all,
    unreachable_pub,
    missing_docs,
    dead_code,
    reason = "generated from proto/containers.proto"
)]
mod containers {
    include!("cri/generated/containerd.services.containers.v1.rs");
}

/// Longest answer: the kubelet's own bound (`maxMsgSize`, cri-client).
const ANSWER: usize = 16 << 20;
/// containerd's namespace for what the CRI makes, and with it for pods.
const NAMESPACE: &str = "k8s.io";
/// How many ids containerd's list is narrowed to; for more it is read whole.
const FILTERS: usize = 256;
/// How many containers are asked for their process one by one.
const STATUSES: usize = 64;

/// What is asked.
pub(super) struct Question {
    /// Containers of which something is open.
    pub(super) lacking: HashSet<String>,
    /// The containers whose groups are known; those that run beside them are looked for. `None`: they are not.
    pub(super) seated: Option<HashSet<String>>,
}

/// Asks sockets, all at once.
pub(super) fn ask(sockets: Vec<Socket>, question: &Question, limit: Duration) -> Vec<Heard> {
    let failed = |socket: &Socket, why: &str| Heard {
        answers: vec![answer(Source::Cri, socket, Outcome::Failed(why.to_owned()))],
        ..Heard::default()
    };
    let asking = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(asking) => asking,
        Err(error) => {
            let why = format!("cannot wait for answers: {error}");
            return sockets.iter().map(|socket| failed(socket, &why)).collect();
        }
    };
    let question = Arc::new(Question { lacking: question.lacking.clone(), seated: question.seated.clone() });
    let heard = asking.block_on(async {
        let end = Instant::now() + limit;
        let mut tasks = JoinSet::new();
        for (at, socket) in sockets.into_iter().enumerate() {
            let question = Arc::clone(&question);
            tasks.spawn(async move {
                let mut dialog = Dialog { socket, end, limit, heard: Heard::default() };
                dialog.hold(&question).await;
                (at, dialog.heard)
            });
        }
        let mut heard = tasks.join_all().await;
        heard.sort_by_key(|(at, _)| *at);
        heard.into_iter().map(|(_, heard)| heard).collect()
    });
    // Connections that hang are let go, not waited for.
    asking.shutdown_background();
    heard
}

fn answer(source: Source, socket: &Socket, outcome: Outcome) -> Answer {
    Answer { source, place: socket.to_string(), outcome }
}

/// The talk with one socket.
struct Dialog {
    socket: Socket,
    end: Instant,
    limit: Duration,
    heard: Heard,
}

/// Why a step of the talk gave nothing.
enum Silence {
    /// The runtime does not speak this protocol.
    Unspoken,
    /// It failed, or did not answer in time.
    Failed(String),
}

impl From<Status> for Silence {
    fn from(status: Status) -> Self {
        if status.code() == Code::Unimplemented {
            return Self::Unspoken;
        }
        // The message is the runtime's.
        let message: String = status.message().chars().take(300).collect();
        Self::Failed(format!("{}: {}", status.code(), Escaped(message.as_bytes())))
    }
}

impl Dialog {
    async fn hold(&mut self, question: &Question) {
        let channel = match self.in_time(connect(self.socket.path().to_owned())).await {
            Ok(channel) => channel,
            Err(silence) => return self.note(Source::Cri, Err(silence)),
        };
        let listed = self.in_time(list(channel.clone())).await;
        let listed = listed.map(|(told, running)| {
            let known: HashSet<String> = told.iter().map(|told| told.id.clone()).collect();
            self.heard.told.extend(told.into_iter().map(|told| (told, Source::Cri)));
            (known, running)
        });
        let known = match listed {
            Ok((known, running)) => {
                self.note(Source::Cri, Ok(known.len()));
                if let Some(seated) = &question.seated {
                    self.find_unseated(&channel, running, seated).await;
                }
                known
            }
            Err(Silence::Unspoken) => {
                let why = "this runtime does not speak the CRI (containerd: its plugin cri is disabled)";
                self.note(Source::Cri, Err(Silence::Failed(why.to_owned())));
                HashSet::new()
            }
            Err(silence) => return self.note(Source::Cri, Err(silence)),
        };
        let lacking: Vec<&String> = question.lacking.difference(&known).collect();
        if lacking.is_empty() {
            return;
        }
        match self.in_time(list_containerd(channel, &lacking)).await {
            Ok(told) => {
                self.note(Source::Containerd, Ok(told.len()));
                self.heard.told.extend(told.into_iter().map(|told| (told, Source::Containerd)));
            }
            // CRI-O and cri-dockerd have no such list.
            Err(Silence::Unspoken) => {}
            Err(silence) => self.note(Source::Containerd, Err(silence)),
        }
    }

    /// Containers that run although no known group bears their id.
    async fn find_unseated(&mut self, channel: &Channel, running: Vec<String>, seated: &HashSet<String>) {
        for id in running.into_iter().filter(|id| !seated.contains(id)).take(STATUSES) {
            match self.in_time(first_process(channel.clone(), id.clone())).await {
                Ok(Some(pid)) => self.heard.unseated.push(Unseated { id, pid }),
                Ok(None) | Err(Silence::Unspoken) => {}
                // It may just have ended; a runtime that hangs is out of time at the next question as well.
                Err(silence) => self.note(Source::Cri, Err(silence)),
            }
        }
    }

    async fn in_time<T>(&self, step: impl Future<Output = Result<T, Silence>>) -> Result<T, Silence> {
        tokio::time::timeout_at(self.end, step).await.unwrap_or_else(|_| {
            let limit = self.limit.as_secs_f64();
            Err(Silence::Failed(format!("no answer within {limit} s")))
        })
    }

    /// One answer a source: the first that failed, or how many it told of.
    fn note(&mut self, source: Source, told: Result<usize, Silence>) {
        let outcome = match told {
            Ok(told) => Outcome::Told(told),
            Err(Silence::Unspoken) => return,
            Err(Silence::Failed(why)) => Outcome::Failed(why),
        };
        if !self.heard.answers.iter().any(|known| known.source == source && known.outcome == outcome) {
            self.heard.answers.push(answer(source, &self.socket, outcome));
        }
    }
}

async fn connect(path: PathBuf) -> Result<Channel, Silence> {
    // The name is not looked up: it fills the protocol's header, and some servers refuse what is no host there.
    let endpoint = Endpoint::from_static("http://localhost");
    let dial = tower::service_fn(move |_: Uri| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    endpoint.connect_with_connector(dial).await.map_err(|error| {
        // Its own text says "transport error"; the causes say which.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Silence::Failed(format!("cannot connect: {}", Escaped(cause.to_string().as_bytes())))
    })
}

/// The pods by their sandboxes' ids: a pod may have had several.
type Pods<'a> = HashMap<&'a str, &'a TellingPod>;

/// All pods and containers of the CRI, and the ids of those that run.
async fn list(channel: Channel) -> Result<(Vec<Told>, Vec<String>), Silence> {
    let mut client = RuntimeServiceClient::new(channel).max_decoding_message_size(ANSWER);
    let sandboxes = client.list_pod_sandbox(runtime::ListPodSandboxRequest {}).await?.into_inner().items;
    let listed = client.list_containers(runtime::ListContainersRequest {}).await?.into_inner().containers;
    let sandboxes: Vec<Told> = sandboxes.into_iter().filter_map(sandbox).collect();
    let pods: Pods<'_> =
        sandboxes.iter().filter_map(|told| Some((told.id.as_str(), told.pod.as_ref()?))).collect();
    let running = |container: &&runtime::Container| container.state() == ContainerState::ContainerRunning;
    let running = listed.iter().filter(running).map(|container| container.id.clone()).collect();
    let containers: Vec<Told> = listed.into_iter().filter_map(|listed| container(listed, &pods)).collect();
    Ok((sandboxes.into_iter().chain(containers).collect(), running))
}

fn sandbox(listed: runtime::PodSandbox) -> Option<Told> {
    let runtime::PodSandboxMetadata { name, uid, namespace } = listed.metadata?;
    let valid = valid::plain(&listed.id) && valid::subdomain(&name) && valid::label(&namespace);
    let uid = Some(uid).filter(|uid| valid::uid(uid));
    valid.then_some(Told {
        id: listed.id,
        name: None,
        sandbox: true,
        pod: Some(TellingPod { uid, namespace, name }),
    })
}

/// A container's pod is its sandbox's; what has no sandbox in the list has its labels.
fn container(listed: runtime::Container, pods: &Pods<'_>) -> Option<Told> {
    if !valid::plain(&listed.id) {
        return None;
    }
    let labels = Told::by_labels(&listed.id, |key| listed.labels.get(key).map(String::as_str));
    let name = listed.metadata.map(|metadata| metadata.name).filter(|name| valid::label(name));
    let pod = pods.get(listed.pod_sandbox_id.as_str()).map(|&pod| pod.clone()).or(labels.pod);
    Some(Told { id: listed.id, name: name.or(labels.name), sandbox: false, pod })
}

/// The part that is read of what containerd and CRI-O put under "info".
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    pid: u32,
}

/// The first process of a container. An ended one has pid 0.
async fn first_process(channel: Channel, container_id: String) -> Result<Option<u32>, Silence> {
    let mut client = RuntimeServiceClient::new(channel).max_decoding_message_size(ANSWER);
    let question = runtime::ContainerStatusRequest { container_id, verbose: true };
    let status = client.container_status(question).await?.into_inner();
    let info = status.info.get("info").and_then(|info| serde_json::from_str::<Info>(info).ok());
    Ok(info.map(|info| info.pid).filter(|&pid| pid != 0))
}

/// What containerd's own list says of containers.
async fn list_containerd(channel: Channel, ids: &[&String]) -> Result<Vec<Told>, Silence> {
    let mut client = ContainersClient::new(channel).max_decoding_message_size(ANSWER);
    // Ids hold no character that means something in containerd's filters.
    let ids: Vec<&&String> = ids.iter().filter(|id| valid::plain(id)).collect();
    let filters = match ids.len() {
        0..=FILTERS => ids.iter().map(|id| format!("id=={id}")).collect(),
        _ => Vec::new(),
    };
    let mut question = Request::new(containers::ListContainersRequest { filters });
    question.metadata_mut().insert("containerd-namespace", MetadataValue::from_static(NAMESPACE));
    let listed = client.list(question).await?.into_inner().containers;
    let told = |listed: containers::Container| {
        let told = Told::by_labels(&listed.id, |key| listed.labels.get(key).map(String::as_str));
        (valid::plain(&listed.id) && told.says_something()).then_some(told)
    };
    Ok(listed.into_iter().filter_map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str, sandbox: &str, name: &str) -> runtime::Container {
        runtime::Container {
            id: id.to_owned(),
            pod_sandbox_id: sandbox.to_owned(),
            metadata: Some(runtime::ContainerMetadata { name: name.to_owned() }),
            ..runtime::Container::default()
        }
    }

    #[test]
    fn a_container_is_in_the_pod_of_its_own_sandbox() {
        let pod = |name: &str, uid: &str| TellingPod {
            uid: Some(uid.to_owned()),
            namespace: "prod".to_owned(),
            name: name.to_owned(),
        };
        let (old, new) = (pod("web", "1"), pod("web", "2"));
        let pods = Pods::from([("old", &old), ("new", &new)]);
        let told = container(listed("c1", "new", "app"), &pods).unwrap();
        assert_eq!((told.name.as_deref(), told.pod), (Some("app"), Some(new.clone())));
        // Of a sandbox that has gone meanwhile, labels still tell.
        let mut orphan = listed("c2", "gone", "app");
        for (key, value) in [("pod.name", "web"), ("pod.namespace", "prod"), ("pod.uid", "3")] {
            orphan.labels.insert(format!("io.kubernetes.{key}"), value.to_owned());
        }
        assert_eq!(container(orphan, &pods).unwrap().pod, Some(pod("web", "3")));
    }

    #[test]
    fn what_is_no_name_is_not_believed() {
        let told = container(listed("c1", "x", "\x1b[2J"), &Pods::new()).unwrap();
        assert!(!told.says_something());
        assert_eq!(container(listed("../../etc", "x", "app"), &Pods::new()), None);
        let metadata = |name: &str| runtime::PodSandboxMetadata {
            name: name.to_owned(),
            uid: "u\n".to_owned(),
            namespace: "prod".to_owned(),
        };
        let pod = |name| runtime::PodSandbox { id: "s".to_owned(), metadata: Some(metadata(name)) };
        assert_eq!(sandbox(pod("We b")), None);
        assert_eq!(sandbox(pod("web")).unwrap().pod.unwrap().uid, None);
    }
}
