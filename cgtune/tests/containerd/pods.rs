//! Pods made and taken away through the CRI socket, as a kubelet does it.

use std::{collections::HashMap, thread, time::Duration};

use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::{
    Status,
    transport::{Channel, Endpoint, Uri},
};

use self::runtime::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, ImageSpec, LinuxContainerConfig,
    LinuxContainerResources, LinuxContainerSecurityContext, LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext, NamespaceMode, NamespaceOption, PodSandboxConfig, PodSandboxMetadata,
    RemovePodSandboxRequest, RunPodSandboxRequest, StartContainerRequest, StopPodSandboxRequest,
    runtime_service_client::RuntimeServiceClient,
};
use super::{Containerd, IMAGE};

#[allow(clippy::all, unreachable_pub, missing_docs, dead_code, reason = "generated from runtime.proto")]
mod runtime {
    include!("generated/runtime.v1.rs");
}

/// A pod that runs, with one container.
pub(crate) struct Made {
    pub(crate) sandbox: String,
    pub(crate) container: String,
}

impl Containerd {
    /// Makes a pod with one container, which is busy under a limit of 0.2 CPUs. `parent`: the pod's group, which a kubelet would have made.
    pub(crate) fn run_pod(&mut self, names: [&str; 3], uid: &str, parent: &str) -> Made {
        let [namespace, name, container] = names;
        let host = NamespaceOption {
            network: NamespaceMode::Node.into(),
            pid: NamespaceMode::Container.into(),
            ipc: NamespaceMode::Pod.into(),
        };
        let labels = |more: &[(&str, &str)]| -> HashMap<String, String> {
            let pod = [
                ("io.kubernetes.pod.name", name),
                ("io.kubernetes.pod.namespace", namespace),
                ("io.kubernetes.pod.uid", uid),
            ];
            let all = pod.iter().chain(more);
            all.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata {
                name: name.to_owned(),
                uid: uid.to_owned(),
                namespace: namespace.to_owned(),
                attempt: 0,
            }),
            log_directory: self.path("pod-logs").display().to_string(),
            labels: labels(&[]),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: parent.to_owned(),
                security_context: Some(LinuxSandboxSecurityContext { namespace_options: Some(host) }),
            }),
        };
        let made = self.talk(async |client| {
            let request = RunPodSandboxRequest { config: Some(config.clone()) };
            Ok(client.run_pod_sandbox(request).await?.into_inner().pod_sandbox_id)
        });
        let sandbox = made.unwrap_or_else(|error| panic!("RunPodSandbox: {error}\n{}", self.log()));
        self.pods.push(sandbox.clone());
        let request = CreateContainerRequest {
            pod_sandbox_id: sandbox.clone(),
            config: Some(ContainerConfig {
                metadata: Some(ContainerMetadata { name: container.to_owned(), attempt: 0 }),
                image: Some(ImageSpec { image: IMAGE.to_owned() }),
                command: ["/bin/busybox", "sh", "-c", "while :; do :; done"].map(str::to_owned).into(),
                labels: labels(&[("io.kubernetes.container.name", container)]),
                log_path: format!("{container}.log"),
                linux: Some(LinuxContainerConfig {
                    resources: Some(LinuxContainerResources {
                        cpu_period: 100_000,
                        cpu_quota: 20_000,
                        cpu_shares: 204,
                    }),
                    security_context: Some(LinuxContainerSecurityContext { namespace_options: Some(host) }),
                }),
            }),
            sandbox_config: Some(config),
        };
        let made = self.talk(async |client| {
            let id = client.create_container(request.clone()).await?.into_inner().container_id;
            client.start_container(StartContainerRequest { container_id: id.clone() }).await?;
            Ok(id)
        });
        let container = made.unwrap_or_else(|error| panic!("CreateContainer: {error}\n{}", self.log()));
        Made { sandbox, container }
    }

    /// Ends a pod and forgets it.
    pub(crate) fn take_away(&mut self, sandbox: &str) -> Result<(), Status> {
        self.pods.retain(|known| known != sandbox);
        self.talk(async |client| {
            let pod_sandbox_id = sandbox.to_owned();
            client.stop_pod_sandbox(StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() }).await?;
            client.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id }).await?;
            Ok(())
        })
    }

    /// Talks to the runtime; its CRI needs a moment after the start of the daemon.
    fn talk<T>(
        &self,
        mut say: impl AsyncFnMut(&mut RuntimeServiceClient<Channel>) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let socket = self.socket();
        waiting.block_on(async {
            let dial = tower::service_fn(move |_: Uri| {
                let socket = socket.clone();
                async move { UnixStream::connect(socket).await.map(TokioIo::new) }
            });
            let channel = Endpoint::from_static("http://localhost").connect_with_connector(dial).await;
            let mut client = RuntimeServiceClient::new(channel.unwrap());
            for _ in 0..100 {
                match say(&mut client).await {
                    Err(status) if status.message().contains("not initialized") => {
                        thread::sleep(Duration::from_millis(100));
                    }
                    answer => return answer,
                }
            }
            Err(Status::deadline_exceeded("the runtime's CRI did not come up within 10 s"))
        })
    }
}
