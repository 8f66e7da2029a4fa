package kernel

import "testing"

func TestHopText(t *testing.T) {
	h := Hop{Time: 104_250, CPU: 1, IRQL: DispatchLevel, Thread: "UI thread", Kind: HopDMAStart, IRP: 7, Name: "disk", N: 4096, M: 8192}
	want := "      104.250µs  cpu1  DISPATCH  UI thread       irp#7     dma-start           " +
		"the driver writes the buffer's address to the registers of disk and rings the doorbell: DMA of 4096 bytes at 8192"
	equal(t, "line", string(h.Append(nil)), want)
	h = Hop{CPU: -1, Kind: HopInterrupt, Name: "disk"}
	want = "        0.000µs  -     hardware  no thread                 interrupt           disk asserts its interrupt line"
	equal(t, "line", string(h.Append(nil)), want)
	h = Hop{Kind: HopIRPComplete, N: int64(StatusCancelled)}
	equal(t, "sentence", h.Sentence(), "the IRP is completed: STATUS_CANCELLED, 0 bytes")
	seen := map[string]bool{}
	for k := HopNone; k < hopKinds; k++ {
		if name := k.String(); name == "" || seen[name] {
			t.Errorf("kind %d has the name %q", k, name)
		} else {
			seen[name] = true
		}
	}
	equal(t, "no such kind", hopKinds.String(), "unknown")
}
