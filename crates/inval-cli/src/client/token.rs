//! The token that is sent to a daemon: where it comes from. Never an argument, which others can see.

use std::env;

use super::error::ClientError;
use crate::access::{Token, TokenError, read_private};
use crate::args::Origin;

const VARIABLE: &str = "INVAL_TOKEN";

/// That of the file which the command line names, or else of the environment, or else none.
pub(super) fn find(origin: &Origin) -> Result<Option<Token>, ClientError> {
    if let Some(path) = &origin.token_file {
        let token = read_private(path)?.trim().parse();
        return token
            .map(Some)
            .map_err(|error| ClientError::TokenText { path: path.clone(), error });
    }
    match env::var(VARIABLE) {
        Ok(text) if !text.is_empty() => {
            text.trim().parse().map(Some).map_err(ClientError::TokenVariable)
        }
        Err(env::VarError::NotUnicode(_)) => Err(ClientError::TokenVariable(TokenError::Form)),
        Ok(_) | Err(env::VarError::NotPresent) => Ok(None),
    }
}
