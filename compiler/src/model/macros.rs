//! What turns the declaration of a shape into its type, its reader and its JSON Schema, so that the three cannot differ.

/// Declares a map with named fields: the type, its reader, its references and its JSON Schema.
///
/// `Option` and `Vec` fields may be left out; every other field is required. `flatten name: Type` adds the
/// fields of a [`choice`] to the map, of which exactly one must be written.
macro_rules! record {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])* $field:ident: $type:ty, )*
        }
        $( flatten {
            $(#[doc = $flat_doc:literal])*
            $flat:ident: $flat_type:ty
        } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $type, )*
            $( $(#[doc = $flat_doc])* pub $flat: $flat_type, )?
        }

        impl $crate::model::shape::Record for $name {
            fn decode_fields(
                fields: &mut $crate::yaml::Fields<'_, '_>,
                also: &[&str],
                reader: &mut $crate::yaml::Reader<'_>,
            ) -> Option<Self> {
                $( let $field = fields.take::<$type>(stringify!($field), reader); )*
                $( let $flat = <$flat_type as $crate::model::shape::Choice>::take(fields, reader); )?
                let known: &[&str] = &[$( stringify!($field), )*];
                let mut known = known.to_vec();
                $( known.extend(<$flat_type as $crate::model::shape::Choice>::KEYS); )?
                known.extend(also);
                let sound = fields.finish(&known, reader);
                let read = Self { $( $field: $field?, )* $( $flat: $flat?, )? };
                sound.then_some(read)
            }
        }

        impl $crate::yaml::Decode for $name {
            fn decode(node: &$crate::yaml::Node<'_>, reader: &mut $crate::yaml::Reader<'_>) -> Option<Self> {
                let mut fields = $crate::yaml::Fields::of(node, reader)?;
                <Self as $crate::model::shape::Record>::decode_fields(&mut fields, &[], reader)
            }
        }

        impl $crate::model::reference::Linked for $name {
            fn each_reference(&mut self, visit: &mut dyn FnMut($crate::model::reference::Reference<'_>)) {
                let _ = &visit;
                $( self.$field.each_reference(visit); )*
                $( self.$flat.each_reference(visit); )?
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let _ = &generator;
                let mut shape = $crate::model::shape::ObjectSchema::new(concat!($($doc, "\n"),*));
                $( shape.field::<$type>(stringify!($field), concat!($($field_doc, "\n"),*), generator); )*
                $( shape.one_of(<$flat_type as $crate::model::shape::Choice>::properties(generator)); )?
                shape.finish()
            }
        }
    };
}

/// Declares alternatives of which exactly one is written, each under its key; and words for those that need no more.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident($type:ty) = $key:ident, )+
        }
        $( words {
            $( $(#[doc = $word_doc:literal])* $word:ident = $text:literal, )+
        } )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub enum $name {
            $( $( $(#[doc = $word_doc])* $word, )+ )?
            $( $(#[doc = $variant_doc])* $variant($type), )+
        }

        impl $crate::model::shape::Choice for $name {
            const KEYS: &'static [&'static str] = &[$( stringify!($key), )*];

            fn take(
                fields: &mut $crate::yaml::Fields<'_, '_>,
                reader: &mut $crate::yaml::Reader<'_>,
            ) -> Option<Self> {
                match $crate::model::shape::only_key(fields, Self::KEYS, reader)? {
                    $( stringify!($key) => fields.take::<$type>(stringify!($key), reader).map(Self::$variant), )*
                    _ => None,
                }
            }

            fn properties(
                generator: &mut schemars::SchemaGenerator,
            ) -> Vec<(String, schemars::Schema, &'static str)> {
                vec![$( (
                    $crate::model::shape::key(stringify!($key)),
                    generator.subschema_for::<$type>(),
                    concat!($($variant_doc, "\n"),*),
                ), )*]
            }
        }

        impl $crate::yaml::Decode for $name {
            fn decode(node: &$crate::yaml::Node<'_>, reader: &mut $crate::yaml::Reader<'_>) -> Option<Self> {
                $( $( if $crate::model::shape::is_word(node, $text) { return Some(Self::$word); } )+ )?
                let words: &[&str] = &[$( $( $text, )+ )?];
                let mut fields = $crate::model::shape::choice_fields(node, words, reader)?;
                let read = <Self as $crate::model::shape::Choice>::take(&mut fields, reader);
                let sound = fields.finish(<Self as $crate::model::shape::Choice>::KEYS, reader);
                read.filter(|_| sound)
            }
        }

        impl $crate::model::reference::Linked for $name {
            fn each_reference(&mut self, visit: &mut dyn FnMut($crate::model::reference::Reference<'_>)) {
                match self {
                    $( $( Self::$word => {} )+ )?
                    $( Self::$variant(inner) => inner.each_reference(visit), )*
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let words: &[&str] = &[$( $( $text, )+ )?];
                let properties = <Self as $crate::model::shape::Choice>::properties(generator);
                $crate::model::shape::choice_schema(concat!($($doc, "\n"),*), words, properties)
            }
        }
    };
}

/// Declares maps that differ by the word under one key, for instance `do: notify`.
macro_rules! tagged {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident by $tag:ident {
            $( $(#[doc = $variant_doc:literal])* $variant:ident($type:ty) = $word:literal, )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub enum $name {
            $( $(#[doc = $variant_doc])* $variant($type), )+
        }

        impl $crate::yaml::Decode for $name {
            fn decode(node: &$crate::yaml::Node<'_>, reader: &mut $crate::yaml::Reader<'_>) -> Option<Self> {
                let mut fields = $crate::yaml::Fields::of(node, reader)?;
                let Some(word) = fields.take::<$crate::model::shape::Word>(stringify!($tag), reader) else {
                    fields.report_lacking(reader);
                    return None;
                };
                match word.text() {
                    $( $word => <$type as $crate::model::shape::Record>::decode_fields(
                        &mut fields, &[stringify!($tag)], reader,
                    ).map(Self::$variant), )+
                    _ => word.unknown(&[$( $word ),+], reader),
                }
            }
        }

        impl $crate::model::reference::Linked for $name {
            fn each_reference(&mut self, visit: &mut dyn FnMut($crate::model::reference::Reference<'_>)) {
                match self {
                    $( Self::$variant(inner) => inner.each_reference(visit), )+
                }
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let variants = vec![$( ($word, <$type as schemars::JsonSchema>::json_schema(generator)) ),+];
                $crate::model::shape::tagged_schema(concat!($($doc, "\n"),*), stringify!($tag), variants)
            }
        }
    };
}

/// Declares a closed set of words.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $( $(#[doc = $word_doc:literal])* $word:ident = $text:literal, )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $( $(#[doc = $word_doc])* $word, )+
        }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$( Self::$word ),+];

            /// The word as it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $( Self::$word => $text, )+
                }
            }
        }

        impl $crate::yaml::Decode for $name {
            fn decode(node: &$crate::yaml::Node<'_>, reader: &mut $crate::yaml::Reader<'_>) -> Option<Self> {
                let word = <$crate::model::shape::Word as $crate::yaml::Decode>::decode(node, reader)?;
                match word.text() {
                    $( $text => Some(Self::$word), )+
                    _ => word.unknown(&[$( $text ),+], reader),
                }
            }
        }

        impl $crate::model::reference::Linked for $name {}

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::model::shape::words_schema(
                    concat!($($doc, "\n"),*),
                    &[$( ($text, concat!($($word_doc, "\n"),*)) ),+],
                )
            }
        }
    };
}

pub(crate) use {choice, record, tagged, words};
