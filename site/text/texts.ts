/** Texts to learn from. */

/** Some of the rhymes of Mother Goose, which are nobody's. */
const RHYMES = `Twinkle, twinkle, little star,
How I wonder what you are!
Up above the world so high,
Like a diamond in the sky.

Humpty Dumpty sat on a wall,
Humpty Dumpty had a great fall.
All the king's horses and all the king's men
Couldn't put Humpty together again.

Jack and Jill went up the hill
To fetch a pail of water.
Jack fell down and broke his crown,
And Jill came tumbling after.

Little Miss Muffet sat on a tuffet,
Eating her curds and whey.
Along came a spider, who sat down beside her
And frightened Miss Muffet away.

Hey diddle diddle, the cat and the fiddle,
The cow jumped over the moon.
The little dog laughed to see such sport,
And the dish ran away with the spoon.

Baa, baa, black sheep, have you any wool?
Yes, sir, yes, sir, three bags full.
One for the master, one for the dame,
And one for the little boy who lives down the lane.

Hickory dickory dock,
The mouse ran up the clock.
The clock struck one, the mouse ran down,
Hickory dickory dock.

Mary had a little lamb,
Its fleece was white as snow,
And everywhere that Mary went
The lamb was sure to go.
It followed her to school one day,
Which was against the rule.
It made the children laugh and play
To see a lamb at school.

Little Bo Peep has lost her sheep
And can't tell where to find them.
Leave them alone, and they'll come home,
Bringing their tails behind them.

Old Mother Hubbard went to the cupboard
To give her poor dog a bone.
When she came there, the cupboard was bare,
And so the poor dog had none.

Sing a song of sixpence, a pocket full of rye,
Four and twenty blackbirds baked in a pie.
When the pie was opened, the birds began to sing.
Was not that a dainty dish to set before the king?
The king was in his counting house, counting out his money.
The queen was in the parlour, eating bread and honey.
The maid was in the garden, hanging out the clothes,
When down came a blackbird and pecked off her nose.

Little Boy Blue, come blow your horn,
The sheep's in the meadow, the cow's in the corn.
Where is the boy who looks after the sheep?
He is under a haystack, fast asleep.

Pease porridge hot, pease porridge cold,
Pease porridge in the pot, nine days old.
Some like it hot, some like it cold,
Some like it in the pot, nine days old.

There was an old woman who lived in a shoe.
She had so many children, she didn't know what to do.

Mary, Mary, quite contrary,
How does your garden grow?
With silver bells and cockle shells
And pretty maids all in a row.

Old King Cole was a merry old soul,
And a merry old soul was he.
He called for his pipe, and he called for his bowl,
And he called for his fiddlers three.

One, two, buckle my shoe,
Three, four, knock at the door,
Five, six, pick up sticks,
Seven, eight, lay them straight,
Nine, ten, a big fat hen.
`;

/** Numbers from 0 up to 1 that a seed fixes. Source: Park & Miller 1988, "Random number generators: good ones are hard to find". */
function numbersOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Made weather reports: a small grammar, whose words go together in some ways and not in others. */
function weather(count: number): string {
  const next = numbersOf(7);
  const one = <T>(list: readonly T[]) => list[Math.floor(next() * list.length)];
  const days = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" ");
  const places = ["north", "south", "east", "west", "hills", "valley"];
  const skies = [
    { sky: "it will snow", from: -9, to: 0, advice: "Wear a warm coat." },
    { sky: "it will rain", from: 5, to: 15, advice: "Take an umbrella." },
    { sky: "there will be fog", from: 2, to: 9, advice: "Drive slowly." },
    { sky: "the sun will shine", from: 18, to: 29, advice: "Go for a swim." },
  ] as const;
  const reports = Array.from({ length: count }, () => {
    const { sky, from, to, advice } = one(skies);
    const degrees = Math.round(from + next() * (to - from));
    return `On ${one(days)} ${sky} in the ${one(places)}, at ${degrees} degrees. ${advice}\n`;
  });
  return reports.join("");
}

/** The texts that are here, by name; the reader's own is "own". */
export const TEXTS = { weather: weather(320), rhymes: RHYMES } as const;

/** How long a text of one's own may be, in characters. */
export const OWN_LENGTH = { least: 300, most: 200_000 } as const;

/** Why a text cannot be learned from; "" when it can. */
export function complaint(text: string): string {
  const { length } = text.trim();
  const { least, most } = OWN_LENGTH;
  if (length >= least && length <= most) return "";
  return `${length.toLocaleString("en")} characters; expected ${least} to ${most.toLocaleString("en")}.`;
}
