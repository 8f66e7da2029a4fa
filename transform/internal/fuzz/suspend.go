package fuzz

import (
	"regexp"
	"strings"
)

var (
	asksCompleted = regexp.MustCompile(`if !([\w.]+)\.IsCompleted\(\) \{`)
	onCompleted   = regexp.MustCompile(`if ([\w.]+)\.OnCompleted\((.*)\) \{`)
)

// Suspending edits generated text so that every await can be made to suspend,
// even of what is complete. It is a World's Edit.
func Suspending(_ int, text string) string {
	text = asksCompleted.ReplaceAllString(text, "if !h.Completed($1) {")
	text = onCompleted.ReplaceAllString(text, "if h.OnCompleted($1, $2) {")
	if strings.Contains(text, "h.OnCompleted(") && !strings.Contains(text, `"fuzzed/h"`) {
		text = strings.Replace(text, "\npackage p\n", "\npackage p\n\nimport \"fuzzed/h\"\n", 1)
	}
	return text
}
