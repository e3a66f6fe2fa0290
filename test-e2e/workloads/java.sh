# A Java program: threads, files and children.
cat >Sample.java <<'END'
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;

public class Sample {
  static String work(int number) throws Exception {
    Path path = Path.of("file-" + number);
    for (int i = 0; i < 50; i++) {
      Files.writeString(path, "" + i);
      if (!Files.readString(path).equals("" + i)) throw new Error();
    }
    Process child = new ProcessBuilder("cat", path.toString()).directory(Path.of("/work").toFile()).start();
    String output = new String(child.getInputStream().readAllBytes());
    Files.delete(path);
    return output + child.waitFor();
  }

  public static void main(String[] arguments) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    List<Future<String>> results = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      final int number = i;
      results.add(pool.submit(() -> work(number)));
    }
    Set<String> seen = new TreeSet<>();
    for (Future<String> result : results) seen.add(result.get());
    pool.shutdown();
    System.out.println(seen + " " + System.getProperty("user.dir") + " " + List.of(arguments));
    try (var walk = Files.walk(Path.of("/etc/apt"))) {
      System.out.println(walk.count());
    }
    try {
      Files.readString(Path.of("/no/such/file"));
    } catch (NoSuchFileException error) {
      System.out.println(error);
    }
    System.exit(11);
  }
}
END
ecj -11 -proc:none Sample.java && java -cp . Sample a 'b c'
echo $?
