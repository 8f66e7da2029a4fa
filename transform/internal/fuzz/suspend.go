package fuzz

import (
	"regexp"
	"strings"
)

var (
	asksCompleted = regexp.MustCompile(`if !([\w.]+)\.IsCompleted\(\) \{`)
	onCompleted   = regexp.MustCompile(`if ([\w.]+\.OnCompleted\((?:[^()]*, )?(\w+)\)) \{`)
)

// Suspending edits generated text so that every await can be made to suspend,
// even of what is complete. It is a World's Edit.
func Suspending(_ int, text string) string {
	text = asksCompleted.ReplaceAllString(text, "if !forced.Completed($1) {")
	text = onCompleted.ReplaceAllString(text, "if forced.Stored($1, $2) {")
	if strings.Contains(text, "forced.") {
		text = strings.Replace(text, "\npackage p\n", "\npackage p\n\nimport forced \"fuzzed/h\"\n", 1)
	}
	return text
}
