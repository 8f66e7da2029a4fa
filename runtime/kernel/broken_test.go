package kernel_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var breakRules = flag.String("break", "", "rules to break, such as A7, one by one; all: every one")

// broken is a rule, and a change of the code by which it does not hold any more.
type broken struct {
	rule     string
	file     string // below runtime
	old, new string
	in       string // the packages whose tests must notice; "": kernel
}

// breakages has each rule of the essay broken, some in several ways. Tests of the rule's name must fail for each.
var breakages = []broken{
	{"A1", "kernel/irp.go", "irp.current = int8(stackSize) + 1", "irp.current = int8(stackSize)", ""},
	{"A1", "kernel/irp.go", "if irp.current <= 0 {", "if false {", ""},
	{"A1", "kernel/iomgr.go", " || stackSize >= maxStackSize", "", ""},
	{"A2", "kernel/irp.go", "if irp.id == 0 || irp.queue != 0", "if irp.queue != 0", ""},
	{"A3", "kernel/irp.go", "\n\tirp.current++\n}", "\n}", ""},
	{"A3", "kernel/irp.go", "next.control, next.home = 0, 0", "", ""},
	{"A4", "kernel/irp.go", "case status == StatusPending && !pending:", "case false:", ""},
	{"A4", "kernel/irp.go", "case status != StatusPending && pending:", "case false:", ""},
	{"A4", "kernel/verify.go", "case status == StatusPending && !f.pending:", "case false:", ""},
	{"A4", "kernel/verify.go", "case status != StatusPending && f.pending:", "case false:", ""},
	{"A4", "kernel/iomgr.go", "case irp.id != id || irp.completed() && irp.PendingReturned:", "case false:", ""},
	{"A4", "kernel/irp.go", "if irp.id == id && irp.completed() && location", "if false && location", ""},
	{"A4", "kernel/verify.go", "if irp.CurrentStackLocation().control&controlPending == 0 {", "if false {", ""},
	{"A5", "kernel/iomgr.go", "case irp.Status != status:", "case false:", ""},
	{"A5", "kernel/complete.go", "case irp.Status == StatusPending:", "case false:", ""},
	{"A6", "kernel/complete.go", "case !irp.PendingReturned && irp.deferred:", "case irp.deferred:", ""},
	{"A7", "kernel/complete.go", "case pended && above != nil &&", "case false && pended &&", ""},
	{"A8", "kernel/complete.go", "case irp.id == 0 || irp.completed():", "case irp.id == 0:", ""},
	{"A8", "kernel/complete.go", "case irp.cancelRoutine != nil:", "case false:", ""},
	{"A8", "kernel/complete.go", "case irp.id != id || irp.current != at:", "case false && at == 0:", ""},
	{"A9", "kernel/complete.go", "irp.Cancel && flags&controlOnCancel != 0", "false", ""},
	{"A9", "kernel/complete.go", "} else if irp.PendingReturned && above != nil {", "} else if false {", ""},
	{"A10", "kernel/complete.go", "kept := status == StatusMoreProcessingRequired", "kept := false && status == 0", ""},
	{"A11", "kernel/complete.go", "case irp.thread.state == Terminated:", "case false:", ""},
	{"A11", "kernel/complete.go", "\t\tc.queueCompletion(irp)", "\t\tc.deliverStatus(irp)", ""},
	{"A12", "kernel/complete.go", "if !tell || irp.context == nil", "if false && !tell || irp.context == nil", ""},
	{"A12", "kernel/complete.go", "copy(irp.UserBuffer, system[:irp.Information])", "_ = system", ""},
	{"A12", "kernel/complete.go", "return irp.Information < 0 || irp.Info", "return irp.Info", ""},
	{"A13", "kernel/iomgr.go", "ov.irp != nil || ov.Notify != nil && ov.Notify.Routine != nil && file.port != nil", "ov.irp != nil", ""},
	{"A14", "kernel/devicequeue.go", "after.annex.key > key", "after.annex.key >= key", ""},
	{"A14", "kernel/devicequeue.go", "\t\tq.busy--", "", ""},
	{"A15", "kernel/devicequeue.go", "if dev.DeferredStartIo && dev.starting > 0 {", "if false {", ""},
	{"A15", "kernel/devicequeue.go", "if dev.starting > 0 && c.kernel.verify", "if false && c.kernel.verify", ""},
	{"A16", "kernel/cancel.go", "\tirp.Cancel = true", "", ""},
	{"A16", "kernel/cancel.go", "routine := irp.SetCancelRoutine(nil)", "routine := irp.cancelRoutine", ""},
	{"A17", "kernel/cancel.go", "if c.kernel.cancelLock.held {", "if false {", ""},
	{"A17", "kernel/cancel.go", "if c.irql != level {", "if false {", ""},
	{"A17", "kernel/complete.go", "case k.cancelLock.held:", "case false:", ""},
	{"A17", "kernel/complete.go", "case k.locks > 0:", "case false:", ""},
	{"A17", "kernel/complete.go", "case irp.id == k.cancelling &&", "case false &&", ""},
	{"A18", "kernel/devicequeue.go", "if queued && irp.Cancel &&", "if false &&", ""},
	{"A18", "kernel/devicequeue.go", "return !cancellable || irp.id == id && irp.cancelRoutine != nil", "return true || !cancellable && irp.id == id", "driver"},
	{"A19", "driver/disk.go", "c.TakeCancelRoutine(irp) // ours", "// ours", "driver"},
	{"A18", "driver/disk.go", "\tif !queued {", "\tif false && queued {", "driver"},
	{"A20", "driver/disk.go", "\tc.StartNextPacket(&d.device)\n", "", "driver"},
	{"A21", "kernel/iomgr.go", "\tc.CancelIRP(ov.irp)\n", "\tc.CancelIRP(ov.irp)\n\tov.irp = nil\n", "driver"},
	{"A22", "kernel/cpu.go", "return 1 << (l.irql - 1)", "return 1 << (HighLevel - 1)", ""},
	{"A22", "kernel/irql.go", "if to < old {", "if false {", ""},
	{"A23", "kernel/irql.go", "if c.irql > limit {", "if false {", ""},
	{"A23", "kernel/dpc.go", "if c.irql != DispatchLevel {", "if false {", ""},
	{"A23", "kernel/thread.go", "if level := t.cpu.irql; level != PassiveLevel {", "if level := t.cpu.irql; false {", ""},
	{"A34", "kernel/thread.go", "\tt.guarded++\n", "", ""},
	{"A23", "kernel/thread.go", "if t == nil {", "if false {", ""},
	{"A24", "kernel/interrupt.go", "if i.locked {", "if false {", ""},
	{"A24", "kernel/interrupt.go", "if l.pending {\n\t\tl.target", "if false {\n\t\tl.target", ""},
	{"A25", "driver/disk.go", "if !d.disk.InterruptPending() {", "if false {", "driver"},
	{"A25", "kernel/interrupt.go", "if by == nil || l.masked || l.dpcs != k.counts.DPCs {", "if by == nil {", ""},
	{"A25", "kernel/interrupt.go", "l.insisted > maxInsisted {", "l.insisted > maxInsisted/2 {", ""},
	{"A25", "kernel/interrupt.go", "l.asserted, l.insisted = false, 0", "l.asserted = false", ""},
	{"A26", "kernel/interrupt.go", "if l.mode == LevelSensitive && l.asserted {", "if false {", ""},
	{"A26", "kernel/interrupt.go", "again = len(l.chain) > 1", "again = again && false", ""},
	{"A26", "kernel/interrupt.go", "if !other.Shared || !i.Shared {", "if false && !other.Shared {", ""},
	{"A27", "kernel/interrupt.go", "if !l.pending {", "if true {", ""},
	{"A28", "kernel/interrupt.go", "l.disabled = true", "", ""},
	{"A29", "device/disk.go", "d.held > c.Threshold", "d.held >= c.Threshold", "device"},
	{"A29", "device/net.go", "a.held > c.Threshold", "a.held >= c.Threshold", "device"},
	{"A30", "kernel/dpc.go", "\tif d.queued {\n\t\treturn false\n\t}\n\tif d.Routine", "\tif d.queued {\n\t\td.argument = argument\n\t\treturn false\n\t}\n\tif d.Routine", ""},
	{"A30", "kernel/dpc.go", "d.Routine(c, d, argument)", "d.queued = true\n\t\td.Routine(c, d, argument)\n\t\td.queued = false", ""},
	{"A31", "kernel/dpc.go", "case d.Importance == HighImportance:", "case false:", ""},
	{"A31", "kernel/dpc.go", "on = d.Target", "", ""},
	{"A32", "kernel/dpc.go", "return d.Importance != LowImportance", "return true", ""},
	{"A32", "kernel/dpc.go", "case c.dpcs.depth >= maxQueueDepth:", "case false:", ""},
	{"A33", "kernel/dpc.go", "for q.head != nil {", "for range 1 {", ""},
	{"A33", "kernel/dpc.go", "if k.verify && k.clock.Now().Sub(began) > dpcBudget {", "if false {", ""},
	{"A34", "kernel/apc.go", "q.normal.head != nil && t.critical == 0", "q.normal.head != nil", ""},
	{"A34", "kernel/apc.go", "if t.guarded > 0 {", "if false {", ""},
	{"A34", "kernel/apc.go", "if q.requests.head == nil || q.special.head != nil && q.special.head.after == q.requests.out {", "if q.requests.head == nil {", ""},
	{"A35", "kernel/thread.go", "if alertable && t.cpu.deliverUserAPCs(t) {", "if t.cpu.deliverUserAPCs(t) {", ""},
	{"A35", "kernel/apc.go", "if t.state == Waiting && t.apcDeliverable() {", "if false {", ""},
	{"A36", "kernel/port.go", "if p.waiters != nil && p.current < p.max && p.packets.n == 0 {", "if p.waiters != nil && p.packets.n == 0 {", ""},
	{"A36", "kernel/port.go", "from := &q.first.packets[q.out]", "from := &q.first.packets[q.out^1]", ""},
	{"A37", "kernel/port.go", "\t\tt.port.current--", "", ""},
	{"A38", "kernel/port.go", "\tp.current--\n\tp.release()", "\tp.current--", ""},
	{"A38", "kernel/port.go", "{ p.current++ }", "{}", ""},
	{"A39", "kernel/complete.go", "!(file.skipOnSuccess && !irp.PendingReturned && status.IsSuccess())", "true", ""},
}

// TestRulesAreTested breaks each rule in a build of its own, and sees that a test of that name fails. That takes minutes, so
// without -break it only looks whether the places are still there:
//
//	go test ./runtime/kernel -run TestRulesAreTested -v -args -break=all
func TestRulesAreTested(t *testing.T) {
	rules := map[string]bool{}
	for i, b := range breakages {
		rules[b.rule] = true
		file, err := filepath.Abs(filepath.Join("..", filepath.FromSlash(b.file)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), b.old); n != 1 {
			t.Errorf("%s: %q stands %d times in %s", b.rule, b.old, n, b.file)
		} else if *breakRules == "all" || *breakRules == b.rule {
			t.Run(fmt.Sprint(b.rule, ".", i), func(t *testing.T) {
				b.mustBeNoticed(t, file, strings.Replace(string(text), b.old, b.new, 1))
			})
		}
	}
	for n := 1; n <= 39; n++ {
		if rule := fmt.Sprint("A", n); !rules[rule] {
			t.Errorf("%s is never broken", rule)
		}
	}
}

// mustBeNoticed runs the rule's tests with the file replaced.
func (b *broken) mustBeNoticed(t *testing.T, file, text string) {
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{changed: []byte(text), overlay: replace} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := b.in
	if in == "" {
		in = "kernel"
	}
	var n int
	fmt.Sscanf(b.rule, "A%d", &n)
	out, err := exec.Command("go", "test", "-vet=off", "-timeout=60s", "-overlay="+overlay, "-run", fmt.Sprintf("^TestA%02d_", n), "../"+in).CombinedOutput()
	switch {
	case err == nil:
		t.Errorf("%s: nobody notices that %q becomes %q in %s\n%s", b.rule, b.old, b.new, b.file, out)
	case strings.Contains(string(out), "build failed"):
		t.Errorf("%s: %s", b.rule, out)
	}
}
