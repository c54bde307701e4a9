"""Record sets, stacks and templates, as AWS has them: values, comparison, reading of templates."""
