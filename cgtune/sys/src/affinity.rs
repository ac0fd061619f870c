//! Which CPUs a thread may run on (sched_setaffinity(2)), for machines of any size.

use std::io;

use cgtune_core::CpuSet;

use crate::raw;

/// The CPUs that a thread may run on. `None`: the calling thread.
///
/// # Errors
/// The kernel's refusal: ESRCH when there is no such thread.
pub fn get(tid: Option<u32>) -> io::Result<CpuSet> {
    let words = raw::affinity(tid.unwrap_or(0))?;
    let bits = |(word, bits): (u32, u64)| {
        (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit)
    };
    Ok((0_u32..).zip(words).flat_map(bits).collect())
}

/// Confines a thread. A cpuset cuts this down further; an empty rest is EINVAL.
///
/// # Errors
/// The kernel's refusal.
pub fn set(tid: Option<u32>, cpus: &CpuSet) -> io::Result<()> {
    let words = cpus.iter().last().map_or(0, |cpu| cpu as usize / 64 + 1);
    let mut mask = vec![0_u64; words];
    for cpu in cpus.iter() {
        mask[cpu as usize / 64] |= 1 << (cpu % 64);
    }
    raw::set_affinity(tid.unwrap_or(0), &mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_confined_to_one_cpu_reads_it_back() {
        std::thread::spawn(|| {
            let all = get(None).unwrap();
            let last: CpuSet = all.iter().last().into_iter().collect();
            set(None, &last).unwrap();
            assert_eq!(get(None).unwrap(), last);
            assert!(set(None, &CpuSet::new()).is_err(), "an empty set is refused");
        })
        .join()
        .unwrap();
    }
}
