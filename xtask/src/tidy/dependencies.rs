//! No dependency may need a newer Rust than the workspace declares.

use serde_json::Value;

use crate::workspace::Metadata;

/// The packages that do.
pub(super) fn too_new(metadata: &Metadata) -> Vec<String> {
    let declared = metadata
        .packages()
        .filter(|package| package["source"].is_null())
        .filter_map(|package| version(&package["rust_version"]))
        .min();
    let Some(declared) = declared else {
        return vec!["Cargo.toml: no rust-version is declared".to_owned()];
    };
    let too_new = |package: &&Value| version(&package["rust_version"]) > Some(declared);
    let problem = |package: &Value| {
        format!(
            "Cargo.lock: {} {} needs Rust {}",
            package["name"], package["version"], package["rust_version"]
        )
    };
    metadata.packages().filter(too_new).map(problem).collect()
}

/// `1.89` or `1.89.0` as numbers.
fn version(text: &Value) -> Option<[u64; 3]> {
    let mut numbers = text.as_str()?.split('.').map(|part| part.parse().ok());
    let mut next = || numbers.next().unwrap_or(Some(0));
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let of = |text: &str| version(&text.into());
        assert_eq!(of("1.89"), of("1.89.0"));
        assert!(of("1.9") < of("1.10"));
        assert_eq!(version(&Value::Null), None);
    }
}
