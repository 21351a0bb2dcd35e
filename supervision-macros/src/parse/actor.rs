//! `#[actor(path = "..")]` and the template inside it.

use proc_macro2::Span;
use syn::{Attribute, Error, LitStr, Result, Token, parse::ParseStream};

use super::{
    list::{attributes, once, word},
    values::module,
};
use crate::{
    errors::Errors,
    model::{ActorPath, Piece, Spanned},
};

/// Reads every `#[actor(..)]` among `from`.
pub(crate) fn actor_path(from: &[Attribute], errors: &mut Errors) -> ActorPath {
    let mut read = ActorPath::default();
    attributes("actor", from, errors, |input, errors| {
        item(&mut read, input, errors)
    });
    read
}

fn item(read: &mut ActorPath, input: ParseStream<'_>, errors: &mut Errors) -> Result<()> {
    const ITEMS: &str = "`path` and `crate`";
    let key = word(input, &format!("one of {ITEMS}"))?;
    let name = key.to_string();
    if !["path", "crate"].contains(&name.as_str()) {
        let message = format_args!("unknown key `{name}`: expected one of {ITEMS}");
        return Err(Error::new(key.span(), message));
    }
    if !input.peek(Token![=]) {
        return Err(Error::new(
            key.span(),
            format_args!("expected `{name} = ..`"),
        ));
    }
    let _: Token![=] = input.parse()?;
    if name == "crate" {
        once(&mut read.runtime, module(input)?, &key, errors);
        return Ok(());
    }
    if !input.peek(LitStr) {
        return Err(input.error("expected a path in quotes, as in `\"/user/{id}\"`"));
    }
    let literal: LitStr = input.parse()?;
    let span = literal.span();
    let value = pieces(&literal.value()).map_err(|problem| problem.at(span))?;
    once(&mut read.template, Spanned { value, span }, &key, errors);
    Ok(())
}

/// A template that cannot be read.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Unclosed,
    Unopened,
    NotAField(String),
}

impl Problem {
    fn at(self, span: Span) -> Error {
        let message = match self {
            Self::Unclosed => {
                "`{` is not closed; write `{field}` for a field's value, `{{` for a brace"
                    .to_owned()
            }
            Self::Unopened => "`}` closes nothing; write `}}` for a brace".to_owned(),
            Self::NotAField(text) => {
                format!("`{{{text}}}` is not a field's name or position; as in `\"/user/{{id}}\"`")
            }
        };
        Error::new(span, message)
    }
}

/// `"/user/{id}"` as `/user/` and the field `id`.
fn pieces(template: &str) -> core::result::Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = template.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '{' | '}' if rest.next_if_eq(&char).is_some() => text.push(char),
            '}' => return Err(Problem::Unopened),
            '{' => {
                let mut field = String::new();
                loop {
                    match rest.next() {
                        Some('}') => break,
                        Some(char) => field.push(char),
                        None => return Err(Problem::Unclosed),
                    }
                }
                if !is_field(&field) {
                    return Err(Problem::NotAField(field));
                }
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Field(field));
            }
            other => text.push(other),
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

fn is_field(name: &str) -> bool {
    let position = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    position || syn::parse_str::<syn::Ident>(name).is_ok_and(|ident| ident == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn field(name: &str) -> Piece {
        Piece::Field(name.to_owned())
    }

    #[test]
    fn a_template_is_text_and_fields() {
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(pieces("/user/a"), Ok(vec![text("/user/a")]));
        assert_eq!(
            pieces("/user/{id}/{0}"),
            Ok(vec![text("/user/"), field("id"), text("/"), field("0")])
        );
    }

    #[test]
    fn a_doubled_brace_is_a_brace() {
        assert_eq!(pieces("{{a}}"), Ok(vec![text("{a}")]));
        assert_eq!(
            pieces("{{{a}}}"),
            Ok(vec![text("{"), field("a"), text("}")])
        );
    }

    #[test]
    fn a_template_that_cannot_be_read_is_refused() {
        assert_eq!(pieces("/{id"), Err(Problem::Unclosed));
        assert_eq!(pieces("/id}"), Err(Problem::Unopened));
        for text in ["", "a.b", "a:?", "self", " a", "-1"] {
            let template = format!("/{{{text}}}");
            assert_eq!(
                pieces(&template),
                Err(Problem::NotAField(text.to_owned())),
                "{template}"
            );
        }
    }
}
