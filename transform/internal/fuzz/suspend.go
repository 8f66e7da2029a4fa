package fuzz

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	asksCompleted = regexp.MustCompile(`if !([\w.]+)\.IsCompleted\(\) \{`)
	onCompleted   = regexp.MustCompile(`if ([\w.]+\.OnCompleted\((?:[^()]*, )?(\w+)\)) \{`)
	moveNext      = regexp.MustCompile(`(?m)^func \(\w+ \*\w+(?:\[[^\]]*\])?\) MoveNext\(.*\{\n`)
)

// Suspending edits generated text so that every await can be made to suspend,
// even of what is complete. It is a World's Edit.
func Suspending(_ int, text string) string {
	text = asksCompleted.ReplaceAllString(text, "if !forced.Completed($1) {")
	return onCompleted.ReplaceAllString(text, "if forced.Stored($1, $2) {")
}

// entering edits generated text so that each machine says whose it is when it goes
// on: where several programs share an executor, only its queue knows who is next.
func entering(id int, text string) string {
	text = moveNext.ReplaceAllString(text, fmt.Sprintf("${0}\tforced.Enter(\"p_%d\")\n", id))
	if strings.Contains(text, "forced.") {
		text = strings.Replace(text, "\npackage p\n", "\npackage p\n\nimport forced \"fuzzed/h\"\n", 1)
	}
	return text
}
