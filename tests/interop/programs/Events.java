// Stock Aeron's listener to the recording events of an archive that runs, while a client of it records.
// usage: Events CONTROL_CHANNEL EVENTS_CHANNEL MESSAGES

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.RecordingEventsAdapter;
import io.aeron.archive.client.RecordingEventsListener;
import org.agrona.concurrent.UnsafeBuffer;

public class Events implements RecordingEventsListener
{
    private static final int STREAM = 1034;
    private static final long DEADLINE = System.nanoTime() + 60_000_000_000L;
    private long recording = -1;
    private long position = -1;
    private long stopped = -1;
    private String channel;

    public void onStart(
        final long recordingId, final long startPosition, final int sessionId, final int streamId,
        final String channel, final String sourceIdentity)
    {
        if (STREAM == streamId && 0 == startPosition)
        {
            recording = recordingId;
            this.channel = channel;
        }
    }

    public void onProgress(final long recordingId, final long startPosition, final long position)
    {
        this.position = recordingId == recording ? position : this.position;
    }

    public void onStop(final long recordingId, final long startPosition, final long stopPosition)
    {
        stopped = recordingId == recording ? stopPosition : stopped;
    }

    private static void idle(final String what)
    {
        if (System.nanoTime() > DEADLINE)
        {
            System.out.println("timed out: " + what);
            System.exit(1);
        }
        Thread.yield();
    }

    public static void main(final String[] args)
    {
        final int total = Integer.parseInt(args[2]);
        final AeronArchive.Context context = new AeronArchive.Context()
            .controlRequestChannel(args[0]).controlResponseChannel("aeron:udp?endpoint=localhost:0");
        try (Aeron aeron = Aeron.connect();
            Subscription events = aeron.addSubscription(
                args[1], AeronArchive.Configuration.RECORDING_EVENTS_STREAM_ID_DEFAULT);
            AeronArchive archive = AeronArchive.connect(context.aeron(aeron)))
        {
            final Events heard = new Events();
            final RecordingEventsAdapter adapter = new RecordingEventsAdapter(heard, events, 10);
            while (!events.isConnected())
            {
                idle("the events stream");
            }
            final long end;
            try (ExclusivePublication publication =
                archive.addRecordedExclusivePublication("aeron:ipc?alias=told", STREAM))
            {
                while (heard.recording < 0)
                {
                    adapter.poll();
                    idle("the start");
                }
                final UnsafeBuffer message = new UnsafeBuffer(new byte[200]);
                for (int sent = 0; sent < total; sent++)
                {
                    while (publication.offer(message) < 0)
                    {
                        idle("the recording takes messages");
                    }
                }
                end = publication.position();
                while (heard.position < end)
                {
                    adapter.poll();
                    idle("progress to " + end + ", at " + heard.position);
                }
            }
            while (heard.stopped < 0)
            {
                adapter.poll();
                idle("the stop");
            }
            System.out.println("told of " + heard.channel + " to " + (heard.stopped == end ? "the end" : heard.stopped));
        }
        System.exit(0);
    }
}
