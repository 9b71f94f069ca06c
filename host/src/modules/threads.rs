//! The threads of this process: a module whose init leaves one behind is refused by name.

use std::{fs, io};

/// The name of each thread of this process, the first one included, in the order of the ids.
pub(super) fn threads() -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        let id = task.file_name().to_string_lossy().parse::<u32>().unwrap_or(u32::MAX);
        // A thread may end between the two reads; then it was not left behind.
        if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
            found.push((id, name.trim_end().to_owned()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, name)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_thread_is_seen_with_its_name() {
        let (end, wait) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let body = move || {
            started.send(()).unwrap();
            wait.recv().unwrap_err()
        };
        let thread = std::thread::Builder::new().name("left-behind".into()).spawn(body).unwrap();
        start.recv().unwrap();
        assert!(threads().unwrap().contains(&"left-behind".to_owned()));
        drop(end);
        thread.join().unwrap();
    }
}
