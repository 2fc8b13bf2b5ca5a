package supervisor

import (
	"encoding/json"
	"fmt"
	"os"
	"syscall"
	"time"

	"ergosphere.dev/launcher/internal/protocol"
)

// lastSeconds of the grace period are the program's own: SIGTERM reaches it that long before SIGKILL ends the container.
const lastSeconds = 3 * time.Second

// patience is how long a terminating launcher waits for a cut to begin. A pod that is deleted with its job has
// nobody who cuts it, and should not take its whole grace period to end.
const patience = 10 * time.Second

// onSignal passes a signal on to the program. SIGTERM first gives the agent time to take the program elsewhere.
func (s *Supervisor) onSignal(received syscall.Signal) {
	switch received {
	case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE:
		// Meant for the launcher: children, the Go runtime, a closed log.
	case syscall.SIGTERM:
		s.onTerminate()
	default:
		// Nobody is there to hear it while a program that has saved its state waits to be started again.
		if s.state == Waiting || s.record.Root != 0 {
			s.forward(received)
		}
	}
}

func (s *Supervisor) forward(received syscall.Signal) {
	if s.state == Waiting || s.record.Root == 0 {
		s.end(protocol.Exit{Code: 128 + int(received), Signal: int(received)})
		return
	}
	if err := syscall.Kill(s.record.Root, received); err != nil && err != syscall.ESRCH {
		fmt.Fprintf(os.Stderr, "ergosphere: cannot pass on %v: %v\n", received, err)
	}
}

func (s *Supervisor) onTerminate() {
	wait := s.config.Grace - lastSeconds
	if s.terminating || s.state == Waiting || s.state == Restored || !s.link.Connected() || wait <= 0 {
		s.terminate()
		return
	}
	s.terminating = true
	s.lastMoment = time.Now().Add(wait)
	s.deadline = time.After(min(wait, patience))
	if s.state == Frozen || s.busy != "" {
		s.waitForCut()
	}
	grace := s.config.Grace.Seconds()
	s.link.Announce(protocol.Event{Event: "terminating", GraceSeconds: &grace})
}

// waitForCut gives a cut that has begun all the time that a launcher which is to end has.
func (s *Supervisor) waitForCut() {
	if s.terminating {
		s.deadline = time.After(time.Until(s.lastMoment))
	}
}

// terminate tells the program to end, now that nobody takes it elsewhere.
func (s *Supervisor) terminate() {
	s.deadline, s.told = nil, true
	if s.state == Restored && s.worker != nil {
		s.discard()
		return
	}
	if s.worker != nil {
		s.runOn("Terminating")
	}
	if s.over {
		return
	}
	s.forward(syscall.SIGTERM)
}

// discard ends a restored program that was not let go: the other workers have not begun either, nor has its network.
func (s *Supervisor) discard() {
	if err := s.endTree(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: before the program went on: %v\n", err)
	}
	s.end(protocol.Exit{Code: 128 + int(syscall.SIGTERM), Signal: int(syscall.SIGTERM)})
}

// onProgramEnd ends what is left of the tree, as the end of PID 1 does in any container, and the container.
func (s *Supervisor) onProgramEnd(status syscall.WaitStatus) {
	s.ended = nil
	if err := s.endTree(); err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: after the program's end: %v\n", err)
	}
	if s.save.expected && status.ExitStatus() == 0 {
		s.onSaved()
		return
	}
	exit := protocol.Exit{Code: status.ExitStatus()}
	if status.Signaled() {
		exit = protocol.Exit{Code: 128 + int(status.Signal()), Signal: int(status.Signal())}
	}
	if s.save.call != nil {
		s.giveUp("the program ended with exit code %d instead of saving its state and ending with 0", exit.Code)
	}
	s.end(exit)
}

func (s *Supervisor) end(exit protocol.Exit) {
	s.writeTermination(map[string]any{"exit": exit})
	s.finish(exit)
}

// finish ends the container.
func (s *Supervisor) finish(exit protocol.Exit) {
	s.state, s.exit, s.exitCode, s.over = Exited, exit, exit.Code, true
	s.link.Announce(protocol.Event{Event: "exited", Code: &exit.Code, Signal: &exit.Signal})
}

// writeTermination leaves word in the file that becomes the container's termination message.
func (s *Supervisor) writeTermination(word map[string]any) {
	text, err := json.Marshal(word)
	if err == nil {
		err = os.WriteFile(s.config.TerminationLog, append(text, '\n'), 0o600)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "ergosphere: cannot write %s: %v\n", s.config.TerminationLog, err)
	}
}
