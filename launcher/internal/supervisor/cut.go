package supervisor

import (
	"fmt"
	"os"
	"time"

	"ergosphere.dev/launcher/internal/checkpoint"
	"ergosphere.dev/launcher/internal/criu"
	"ergosphere.dev/launcher/internal/link"
	"ergosphere.dev/launcher/internal/protocol"
)

// dump freezes the program, writes its image and leaves it frozen under a lease. Asked again for the cut it
// already holds, it answers the same.
func (s *Supervisor) dump(call link.Call) error {
	if s.state == Frozen && call.Cut == s.cut {
		call.Answer(s.taken)
		return nil
	}
	if s.state != Running {
		return s.wrongState("dump", Running)
	}
	if call.Cut == "" || call.LeaseSeconds == 0 {
		return protocol.Failed("BadRequest", "dump needs a cut and leaseSeconds")
	}
	if err := s.imageDirectory(call.Dir); err != nil {
		return err
	}
	if s.terminating {
		s.deadline = time.After(time.Until(s.lastMoment))
	}
	if s.config.Saving != nil {
		return s.askToSave(call)
	}
	record, worker := s.record, s.takeReady(call)
	s.perform("dump", func() func() {
		taken, err := s.take(worker, record, call.Dir)
		return func() { s.onDumped(call, taken, err) }
	})
	return nil
}

// take uses the worker that was prepared, if it still is there: its lease may have ended.
func (s *Supervisor) take(worker *criu.Worker, record checkpoint.Record, dir string) (checkpoint.Taken, error) {
	if worker == nil {
		var err error
		if worker, err = checkpoint.Prepare(s.config.CRIU, record, dir); err != nil {
			return checkpoint.Taken{}, err
		}
	}
	return checkpoint.Take(worker, record, dir, s.config.Roots)
}

func (s *Supervisor) onDumped(call link.Call, taken checkpoint.Taken, err error) {
	if err != nil {
		refuse(call, err)
		return
	}
	s.worker = taken.Worker
	s.hold(call, taken)
}

// hold keeps the program from running on until it is thawed, or until the lease ends.
func (s *Supervisor) hold(call link.Call, taken checkpoint.Taken) {
	s.cut, s.state = call.Cut, Frozen
	s.extendLease(call.LeaseSeconds)
	s.taken = protocol.Reply{
		OK: true, FreezeMs: milliseconds(taken.Freeze), DumpMs: milliseconds(taken.Dump),
		FilesMs: milliseconds(taken.Files), Bytes: &taken.Bytes,
	}
	call.Answer(s.taken)
}

func milliseconds(duration time.Duration) *float64 {
	value := float64(duration.Microseconds()) / 1000
	return &value
}

func (s *Supervisor) extendLease(seconds float64) {
	s.lease.Reset(time.Duration(seconds * float64(time.Second)))
}

func (s *Supervisor) renew(call link.Call) error {
	if err := s.holds(call, "renew"); err != nil {
		return err
	}
	if call.LeaseSeconds == 0 {
		return protocol.Failed("BadRequest", "renew needs leaseSeconds")
	}
	s.extendLease(call.LeaseSeconds)
	accept(call)
	return nil
}

// holds checks that the program is frozen for the cut that a request names.
func (s *Supervisor) holds(call link.Call, operation string) error {
	if s.state != Frozen {
		return s.wrongState(operation, Frozen)
	}
	if call.Cut != s.cut {
		return protocol.Failed("WrongCut", "the program is frozen for the cut %q, not %q", s.cut, call.Cut)
	}
	return nil
}

func (s *Supervisor) onLeaseEnd() {
	s.dismiss()
	// The lease may have ended while another event was handled that thawed the program.
	if !s.held() || s.busy != "" {
		return
	}
	cut := s.cut
	s.resume()
	if !s.over {
		s.link.Announce(protocol.Event{Event: "thawed", Cut: cut, Reason: "LeaseExpired"})
	}
}

// held says whether the program is kept from running on.
func (s *Supervisor) held() bool { return s.state == Frozen || s.save.done && s.state == Running }

// resume lets a frozen program run on where it is, and starts one again that has saved its state and ended.
func (s *Supervisor) resume() {
	s.lease.Stop()
	s.cut, s.state = "", Running
	if s.config.Saving != nil {
		s.startAgain()
		return
	}
	if err := s.worker.Finish(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after a cut: %v\n", err)
	}
	s.worker = nil
}
