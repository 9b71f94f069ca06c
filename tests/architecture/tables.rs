//! The tables of the documents: rows of cells, and the words in backticks in them.

/// The rows of the table whose first head is `head`.
pub(crate) fn rows(document: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = document.lines().skip_while(|line| !line.starts_with(&format!("| {head} |")));
    let table = lines.by_ref().skip(2).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = table.map(cells).collect();
    assert!(!rows.is_empty(), "there is no table `{head}`");
    rows
}

/// The words in backticks of a text.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}
